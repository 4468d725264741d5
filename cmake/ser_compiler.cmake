# SPDX-License-Identifier: Apache-2.0
# One set of warnings for every target; sanitizers and the compile cache by option.
add_library(ser_flags INTERFACE)
target_compile_options(ser_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-qual -Wconversion -Wno-sign-conversion -Wno-psabi -Werror -fno-strict-aliasing)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports these inside its own library headers at -O2 (PR 105329, 105651, 109642).
  target_compile_options(ser_flags INTERFACE -Wno-restrict -Wno-dangling-pointer -Wno-missing-field-initializers)
else()
  target_compile_options(ser_flags INTERFACE -Wno-missing-field-initializers -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(SER_SANITIZE)
  target_compile_options(ser_flags INTERFACE -fsanitize=${SER_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(ser_flags INTERFACE -fsanitize=${SER_SANITIZE})
  if(SER_SANITIZE MATCHES "undefined")
    target_compile_options(ser_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()
find_program(SER_CCACHE ccache)
if(SER_CCACHE)
  # base_dir lets every clone and work tree share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=time_macros ${SER_CCACHE})
endif()
find_program(SER_MOLD mold)
if(SER_MOLD AND NOT SER_BUILD_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()
