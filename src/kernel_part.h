// The end of an array that does not fill a vector (level L1). Included like kernel_simd.h.

// The last n elements of an array as a vector filled up with zeros.
template <typename T>
struct Part {
  T numbers[width<T>] = {};
  Part() = default;
  Part(const T* from, long n) { copy(from, numbers, n); }
  void to(T* target, long n) const { copy(numbers, target, n); }
  static void copy(const T* from, T* to, long n) {
    for (long i = 0; i < n; ++i) to[i] = from[i];
  }
};
