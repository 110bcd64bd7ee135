# For developers. Users need only ./run.
R = R
RSCRIPT = Rscript
# At most two processes at a time in checks, as CRAN does.
CHECK_ENV = _R_CHECK_LIMIT_CORES_=true OMP_THREAD_LIMIT=2 MAKEFLAGS=-j2

.PHONY: help demo test test-all check sanitize docs attributes collate format lint clean

help:
	@echo "demo test test-all check sanitize docs attributes collate format lint clean: see CONTRIBUTING.md"

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
