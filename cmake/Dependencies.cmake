# What Lichen stands on. Versions are Debian 12's unless said.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json url)
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(Eigen3 REQUIRED)

find_path(HNSWLIB_INCLUDE_DIR hnswlib/hnswlib.h REQUIRED)  # headers only, without a CMake file
add_library(hnswlib INTERFACE)
target_include_directories(hnswlib SYSTEM INTERFACE ${HNSWLIB_INCLUDE_DIR})

find_package(PkgConfig REQUIRED)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(vectorscan REQUIRED IMPORTED_TARGET libhs)
add_library(vectorscan ALIAS PkgConfig::vectorscan)

if(LICHEN_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# Asio and Beast are compiled once (base/asio.cpp), not in every file.
add_library(lichen_asio INTERFACE)
target_link_libraries(lichen_asio INTERFACE Boost::headers Boost::json Boost::url OpenSSL::SSL
                                            OpenSSL::Crypto Threads::Threads)
target_compile_definitions(lichen_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  # Blocks that a thread keeps for the next coroutine frames. A turn has a dozen frames at a time;
  # what is not kept costs an aligned_alloc, which glibc serves from no per-thread cache.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)

if(LICHEN_LLAMA)
  include(Libllama)
endif()
