// The one include of Armadillo, with its switches (level L0, for L2 only).
// No BLAS, LAPACK or OpenMP: products go through gemm(), which keeps the same bits everywhere. Nothing is ever printed.
#pragma once
#include <ostream>

#include "workspace.h"

namespace birnn {

inline std::ostream& silent_stream() {
  static std::ostream stream(nullptr);
  return stream;
}

}  // namespace birnn

#define ARMA_DONT_USE_WRAPPER
#define ARMA_DONT_USE_BLAS
#define ARMA_DONT_USE_LAPACK
#define ARMA_DONT_USE_NEWARP
#define ARMA_DONT_USE_ARPACK
#define ARMA_DONT_USE_SUPERLU
#define ARMA_DONT_USE_ATLAS
#define ARMA_DONT_USE_HDF5
#define ARMA_DONT_USE_FFTW3
#define ARMA_DONT_USE_OPENMP
#define ARMA_DONT_PRINT_EXCEPTIONS
#define ARMA_64BIT_WORD
#define ARMA_WARN_LEVEL 0
#define ARMA_COUT_STREAM birnn::silent_stream()
#define ARMA_CERR_STREAM birnn::silent_stream()

// RcppArmadillo 15 keeps the current Armadillo in a folder of its own.
#if __has_include(<armadillo>)
#include <armadillo>
#else
#include <current/armadillo>
#endif

namespace birnn {

template <typename T>
using Matrix = arma::Mat<T>;

// Row-major numbers (rows, width) seen as an Armadillo matrix without a copy: each column is one row of the batch.
template <typename T>
Matrix<T> as_matrix(T* data, int64 width, int64 rows) {
  return Matrix<T>(data, static_cast<arma::uword>(width), static_cast<arma::uword>(rows), false, true);
}
template <typename T>
const Matrix<T> as_matrix(const T* data, int64 width, int64 rows) {
  return as_matrix(const_cast<T*>(data), width, rows);
}

}  // namespace birnn
