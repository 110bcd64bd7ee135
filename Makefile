# For developers. Users need only ./run.
R = R
RSCRIPT = Rscript
# At most two processes at a time in checks, as CRAN does.
CHECK_ENV = _R_CHECK_LIMIT_CORES_=true OMP_THREAD_LIMIT=2 MAKEFLAGS=-j2

.PHONY: help demo test test-all check sanitize neon fuzz bench bench-peers docs attributes collate format lint clean

help:
	@echo "demo test test-all check sanitize neon fuzz bench bench-peers docs attributes collate format lint clean: see CONTRIBUTING.md"

demo test:
	./run $@

# Everything: the slow tests too, and the C++ tests of the core.
test-all:
	BIRNN_TEST_ALL=true ./run test
	$(MAKE) -j2 -C tests/cpp test

# R CMD check of the tarball, in a temporary folder; fails on errors and warnings.
check:
	$(CHECK_ENV) $(RSCRIPT) tools/check.R

# The C++ core without R: address and undefined-behaviour sanitizers, then valgrind.
sanitize:
	$(MAKE) -j2 -C tests/cpp asan
	$(MAKE) -j2 -C tests/cpp valgrind

# The C++ core for 64-bit ARM, run by an emulator.
neon:
	$(MAKE) -j2 -C tests/cpp neon

# libFuzzer on the readers of files, with clang and its runtime; SECONDS= for each of them.
fuzz:
	$(MAKE) -C tests/cpp fuzz

# Speed against the peers that are installed, see bench/README.md: ROUNDS=9 ONLY=pattern CORE=1 QUIET=0.15.
bench:
	$(RSCRIPT) bench/run.R

# The one peer that no system package has.
bench-peers:
	mkdir -p .build/bench/node
	cd .build/bench/node && ONNXRUNTIME_NODE_INSTALL_CUDA=skip npm install --no-audit --no-fund onnxruntime-node

# Generated files: Rcpp's exports; `Collate:`; NAMESPACE and man/ (which compiles a copy in .build/docs).
attributes:
	$(RSCRIPT) tools/attributes.R

collate:
	$(RSCRIPT) tools/collate.R

docs: attributes collate
	$(RSCRIPT) tools/document.R

format:
	clang-format -i $$(ls src/*.cpp src/*.h | grep -v RcppExports)

lint:
	$(RSCRIPT) -e 'lintr::lint_package()'

clean:
	rm -rf .build demo-output src/*.o src/*.so
	$(MAKE) -C tests/cpp clean
