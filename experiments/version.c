#include "experiments/version.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/linalg.h"
#include "mpi/comm.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* SIREN_VERSION and SIREN_COMMIT, SIREN_ARCH and SIREN_HDF5 come from CMakeLists.txt. */
int version_facts(TextAttribute facts[VERSION_MAX_FACTS]) {
  const TextAttribute known[] = {
      {"version", SIREN_VERSION}, {"commit", SIREN_COMMIT},   {"compiler", COMPILER},
      {"march", SIREN_MARCH},     {"arithmetic", REAL_NAME},  {"mpi", comm_library()},
      {"hdf5", SIREN_HDF5},       {"blas", linalg_library()},
  };
  memcpy(facts, known, sizeof known);
  return sizeof known / sizeof *known;
}

void version_digest(const real *values, size_t n, char text[VERSION_DIGEST]) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(values, n * sizeof *values));
  int length = snprintf(text, VERSION_DIGEST, "xxh3-128 ");
  for (size_t i = 0; i < sizeof canonical.digest; i++) {
    length += snprintf(text + length, VERSION_DIGEST - (size_t)length, "%02x", canonical.digest[i]);
  }
}
