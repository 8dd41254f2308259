# lichen_library(NAME SOURCES file... [DEPENDS target...] [PRIVATE target...] [TESTS file...]
#                [LABELS label...])
#
# A static library lichen_NAME from one folder of src, and its unit tests as lichen_NAME_tests.
# DEPENDS are public: other folders see them; PRIVATE ones stay inside. LABELS are of the tests.
function(lichen_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE;TESTS;LABELS" ${ARGN})
  set(target lichen_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                              ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC lichen_asio ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  lichen_warnings(${target})
  lichen_harden(${target})
  lichen_precompile(${target} precompiled.h)
  if(LICHEN_TESTS AND ARG_TESTS)
    lichen_test(${target}_tests SOURCES ${ARG_TESTS} DEPENDS ${target} ${ARG_PRIVATE}
                LABELS ${ARG_LABELS})
  endif()
endfunction()

# lichen_test(NAME SOURCES file... [DEPENDS target...] [LABELS label...] [WHOLE text]): a GoogleTest
# binary known to ctest, test by test; with WHOLE as one, for what its tests share is slow to start,
# and skipped where it says that text.
function(lichen_test target)
  cmake_parse_arguments(ARG "" "WHOLE" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_DEPENDS} GTest::gmock_main)
  target_compile_definitions(${target}
    PRIVATE LICHEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Most of the building is tests, and they run in no time anyway.
  # Without optimization there are no checked library calls.
  target_compile_options(${target} PRIVATE "SHELL:$<$<CONFIG:Release>:-O0 -U_FORTIFY_SOURCE>")
  lichen_warnings(${target})
  lichen_precompile(${target} precompiled_test.h)
  set(properties TIMEOUT 120)
  if(ARG_LABELS)
    list(APPEND properties LABELS ${ARG_LABELS})
  endif()
  if(ARG_WHOLE)
    add_test(NAME ${target} COMMAND ${target} --gtest_brief=1)
    set_tests_properties(${target} PROPERTIES ${properties} SKIP_REGULAR_EXPRESSION "${ARG_WHOLE}")
  else()
    gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES ${properties})
  endif()
endfunction()

# Parsing Boost and GoogleTest is half of the building. Each target has its own, since a precompiled
# header must have been compiled with the very same options.
function(lichen_precompile target header)
  if(LICHEN_PRECOMPILED_HEADERS)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake)
    target_precompile_headers(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:<${header}$<ANGLE-R>>)
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
    # A precompiled header holds paths, so it differs from clone to clone. For ccache this stands for
    # its content.
    file(SHA256 ${PROJECT_SOURCE_DIR}/cmake/precompiled.h content)
    file(SHA256 ${PROJECT_SOURCE_DIR}/cmake/precompiled_test.h test_content)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum
         "${header} ${content} ${test_content} ${CMAKE_CXX_COMPILER_VERSION} ${Boost_VERSION} ${GTest_VERSION}")
  endif()
endfunction()

# For our own code alone: ggml's loops do without.
function(lichen_harden target)
  if(LICHEN_HARDENING AND NOT LICHEN_SANITIZE)
    target_compile_definitions(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang>:_GLIBCXX_ASSERTIONS>)
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU,Clang>:-ftrivial-auto-var-init=zero>)
  endif()
endfunction()

function(lichen_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                           $<$<BOOL:${LICHEN_WERROR}>:-Werror>)
endfunction()
