/* A sound as a signal f: [-extent, extent] -> [-1, 1] over time: one channel (the mean of all), of
 * largest magnitude 1 (paper.md section 4). */
#ifndef EXPERIMENTS_CLIP_H
#define EXPERIMENTS_CLIP_H

#include "experiments/signal.h"
#include "io/config.h"

typedef struct {
  Signal signal;
  double rate;  /* samples a second; 0: the file does not say */
  double start; /* seconds (samples, without a rate) before the first sample in the file */
} Clip;

/* Collective. Reads data.file ("": the built-in clip), a sound file or in HDF5 the data set
 * audio.dataset, [time] or [time][channels], or the part of it that audio.first and audio.seconds
 * name; one rank of a node reads for all. Fails, beside what cannot be read, on a part that the
 * file does not have (STATUS_USAGE), on a single sample, on silence and on samples that are not
 * finite. To be destroyed after a failure, too. */
Status clip_read(const Comm *comm, const Config *config, Clip *clip);

/* Collective. Leaves it all zero. */
void clip_destroy(Clip *clip);

/* Local. Sample i's time in seconds (in samples where there is no rate), from the file's start. */
double clip_time(const Clip *clip, double i);

#endif
