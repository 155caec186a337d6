/* Named arrays that a checkpoint must hold: how optimisers and the exact sum expose their state
 * without knowing any file format. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { STATE_REAL, STATE_DOUBLE, STATE_INT64 } StateType;

typedef struct {
  const char *name; /* unique in its owner, [a-z0-9_]+; borrowed, lives as long as the owner */
  StateType type;
  void *data;   /* borrowed: read to save, written to restore */
  size_t count; /* elements; fixed for the owner's life */
  bool sharded; /* of each rank only its part is up to date (optimizer_shard) */
} StateArray;

enum { STATE_MAX_ARRAYS = 16 };

#endif
