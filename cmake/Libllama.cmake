# libllama 0.5.0 with ggml and llama.cpp's `common`: the target lichen_llama_deps.
#
# A system package comes first (-DLICHEN_SYSTEM_LLAMA=ON). Otherwise the source is taken from the
# npm package node-llama-cpp, which carries upstream's release as a git bundle: fetched once,
# checked against the hash below, unpacked beside the builds and compiled for release.
set(LICHEN_LLAMA_PACKAGE node-llama-cpp@3.22.1)
set(LICHEN_LLAMA_BUNDLE_SHA256 5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51)
option(LICHEN_SYSTEM_LLAMA "Use the installed libllama instead of building it" OFF)

if(LICHEN_SYSTEM_LLAMA)
  find_package(llama REQUIRED)
  set(LICHEN_LLAMA_TARGETS llama llama-common)
  return()
endif()

set(LICHEN_DEPS_DIR ${PROJECT_SOURCE_DIR}/build/deps CACHE PATH "Where unpacked sources are kept")
set(LICHEN_LLAMA_SOURCE ${LICHEN_DEPS_DIR}/llama.cpp-0.5.0)

function(lichen_unpack_llama)
  find_program(NPM npm REQUIRED)
  find_package(Git REQUIRED)
  set(work ${LICHEN_DEPS_DIR}/unpack)
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work})
  message(STATUS "Fetching ${LICHEN_LLAMA_PACKAGE} (36 MB) for libllama's source")
  execute_process(COMMAND ${NPM} pack --silent ${LICHEN_LLAMA_PACKAGE} WORKING_DIRECTORY ${work}
                  OUTPUT_QUIET ERROR_VARIABLE problem RESULT_VARIABLE status)
  file(GLOB package ${work}/*.tgz)
  if(NOT status EQUAL 0 OR NOT package)
    message(FATAL_ERROR "npm could not fetch ${LICHEN_LLAMA_PACKAGE}: ${problem}\nIs the npm "
                        "registry reachable? Otherwise install libllama and pass "
                        "-DLICHEN_SYSTEM_LLAMA=ON.")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${package} DESTINATION ${work}
       PATTERNS package/llama/gitRelease.bundle)
  set(bundle ${work}/package/llama/gitRelease.bundle)
  file(SHA256 ${bundle} hash)
  if(NOT hash STREQUAL LICHEN_LLAMA_BUNDLE_SHA256)
    message(FATAL_ERROR "The bundle in ${LICHEN_LLAMA_PACKAGE} has SHA-256 ${hash}, not "
                        "${LICHEN_LLAMA_BUNDLE_SHA256}: refusing to build it.")
  endif()
  execute_process(COMMAND ${GIT_EXECUTABLE} clone --quiet --bare ${bundle} ${work}/git
                  ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${GIT_EXECUTABLE} --git-dir=${work}/git archive --format=tar
                          --output=${work}/source.tar HEAD
                          CMakeLists.txt LICENSE cmake common examples ggml gguf-py include licenses pocs
                          scripts src tools vendor
                  COMMAND_ERROR_IS_FATAL ANY)
  file(MAKE_DIRECTORY ${work}/source)
  file(ARCHIVE_EXTRACT INPUT ${work}/source.tar DESTINATION ${work}/source)
  file(REMOVE_RECURSE ${LICHEN_LLAMA_SOURCE})
  file(RENAME ${work}/source ${LICHEN_LLAMA_SOURCE})  # last, so that it is there whole or not
  file(REMOVE_RECURSE ${work})
endfunction()

if(NOT EXISTS ${LICHEN_LLAMA_SOURCE}/CMakeLists.txt)
  lichen_unpack_llama()
endif()

function(lichen_add_llama)
  set(BUILD_SHARED_LIBS OFF)
  set(LLAMA_BUILD_COMMON ON)
  foreach(part APP TESTS EXAMPLES TOOLS SERVER UI)
    set(LLAMA_BUILD_${part} OFF)
  endforeach()
  set(LLAMA_OPENSSL OFF)
  # The lane gives all its models one ggml thread pool; OpenMP's teams would spin beside it
  # (docs/benchmarks.md, "Threads").
  set(GGML_OPENMP OFF)
  set(GGML_CUDA ${LICHEN_CUDA})
  set(GGML_CUDA_NCCL OFF)
  set(CMAKE_WARN_DEPRECATED OFF)
  set(CMAKE_CXX_STANDARD 17)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  # Sanitizers look at our code; libllama is the same in every preset, and compiled once.
  get_directory_property(options COMPILE_OPTIONS)
  set_directory_properties(PROPERTIES COMPILE_OPTIONS "${LICHEN_HARDENING_OPTIONS}")
  set(CMAKE_BUILD_TYPE Release)
  add_subdirectory(${LICHEN_LLAMA_SOURCE} ${CMAKE_BINARY_DIR}/llama EXCLUDE_FROM_ALL SYSTEM)
  set_directory_properties(PROPERTIES COMPILE_OPTIONS "${options}")
endfunction()
lichen_add_llama()
set(LICHEN_LLAMA_TARGETS llama llama-common)
