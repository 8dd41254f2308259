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
  if(LICHEN_TESTS AND ARG_TESTS)
    lichen_test(${target}_tests SOURCES ${ARG_TESTS} DEPENDS ${target} ${ARG_PRIVATE}
                LABELS ${ARG_LABELS})
  endif()
endfunction()

# lichen_test(NAME SOURCES file... [DEPENDS target...] [LABELS label...]): a GoogleTest binary known
# to ctest.
function(lichen_test target)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_DEPENDS} GTest::gmock_main)
  target_compile_definitions(${target}
    PRIVATE LICHEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Most of the building is tests, and they run in no time anyway.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0>)
  lichen_warnings(${target})
  set(properties TIMEOUT 120)
  if(ARG_LABELS)
    list(APPEND properties LABELS ${ARG_LABELS})
  endif()
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES ${properties})
endfunction()

function(lichen_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                           $<$<BOOL:${LICHEN_WERROR}>:-Werror>)
endfunction()
