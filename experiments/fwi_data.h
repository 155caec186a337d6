/* What full-waveform inversion is given: sources, receivers, and what these received. */
#ifndef EXPERIMENTS_FWI_DATA_H
#define EXPERIMENTS_FWI_DATA_H

#include <stdbool.h>

#include "experiments/pml.h"
#include "io/config.h"

typedef struct {
  double x[2], radius, velocity;
} FwiDisc;

typedef struct {
  int sources, receivers;
  PmlSource *source;        /* [sources] */
  double (*receiver)[2];    /* [receivers] */
  double complex *received; /* [receivers][sources]; 0: nothing is known */
  double reach, scale;      /* fwi.reach, and fwi.scale: q is this times the network's */
  bool known;               /* the medium is: a disc, whose field the data are */
  FwiDisc disc;
} FwiData;

/* The medium of the second stage: m = 1 + max(q, FWI_LEAST), and 1 where |x| or |y| is over the
 * data's reach. */
#define FWI_LEAST (-0.999)

/* Local. From data.file, a MATLAB file with source [S][2], receivers [R][2] and rec_val [R][S], or
 * an HDF5 file with data sets of these names, rec_val [R][S][2]; "": the released code's five
 * sources and thirty receivers (paper.md 6.4), with the closed form for the disc of the options
 * fwi.disc_*. Fails on other shapes, on what is not finite, and on sources and receivers in the
 * absorbing layer (their number is named, from 1 on). */
Status fwi_data_create(const Config *config, const Pml *pml, FwiData *data);
void fwi_data_destroy(FwiData *data); /* a zero one is allowed */

#endif
