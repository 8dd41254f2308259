# Language level, hardening, sanitizers, ccache.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR
    "g++ ${CMAKE_CXX_COMPILER_VERSION} destroys temporaries twice inside co_await (aggregates in "
    "braces, capturing lambdas). Use clang++-19 (-DCMAKE_CXX_COMPILER=clang++-19) or g++ 14.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the source, so that clones share what is compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
               CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # CMake would name the header, too, by a path that ccache does not make relative.
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
  find_program(LLD NAMES ld.lld-19 ld.lld)
  if(LLD)
    add_link_options(--ld-path=${LLD})
  endif()
endif()

# What a defect in memory may be turned into.
if(LICHEN_HARDENING)
  include(CheckPIESupported)
  check_pie_supported()
  set(LICHEN_HARDENING_OPTIONS -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND LICHEN_HARDENING_OPTIONS -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND LICHEN_HARDENING_OPTIONS -mbranch-protection=standard)
  endif()
  add_link_options(LINKER:-z,relro,-z,now,-z,noexecstack)
  if(NOT LICHEN_SANITIZE)  # sanitizers find more
    add_compile_options(${LICHEN_HARDENING_OPTIONS}
                        "$<$<CONFIG:Release>:SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>")
  endif()
endif()

if(LICHEN_SANITIZE)
  # With assertions; quick to build, and enough to name a line.
  set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -gline-tables-only")
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -gline-tables-only")
  add_compile_options(-fsanitize=${LICHEN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LICHEN_SANITIZE})
endif()
