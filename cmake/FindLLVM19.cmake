# LLVM 19 as the imported target weft_private::llvm: of its static libraries those that the code generator needs, where
# they are installed, else the one shared library. The shared one holds every target that LLVM knows, and takes four times
# as long to load: 13 ms against 3.5. (LLVM's own config file looks for a dozen packages that we do not need.)
find_path(WEFT_LLVM_INCLUDE_DIR llvm/ExecutionEngine/Orc/LLJIT.h
  HINTS /usr/lib/llvm-19/include NO_CMAKE_SYSTEM_PATH)  # /usr/include may hold the headers of another version
find_library(WEFT_LLVM_LIBRARY LLVM-19 HINTS /usr/lib/llvm-19/lib)
find_program(WEFT_LLVM_CONFIG llvm-config-19 HINTS /usr/lib/llvm-19/bin)
find_library(WEFT_ZLIB NAMES z libz.so.1)  # what the static libraries want beside the C library
find_library(WEFT_ZSTD NAMES zstd libzstd.so.1)
set(WEFT_LLVM_VERSION 19)
if(WEFT_LLVM_CONFIG)
  execute_process(COMMAND ${WEFT_LLVM_CONFIG} --version
    OUTPUT_VARIABLE WEFT_LLVM_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
mark_as_advanced(WEFT_LLVM_INCLUDE_DIR WEFT_LLVM_LIBRARY WEFT_LLVM_CONFIG WEFT_ZLIB WEFT_ZSTD)

set(static_llvm "")
if(WEFT_LLVM_CONFIG AND WEFT_ZLIB AND WEFT_ZSTD)
  execute_process(
    COMMAND ${WEFT_LLVM_CONFIG} --link-static --libfiles x86codegen orcjit passes instcombine scalaropts
    OUTPUT_VARIABLE static_llvm OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  separate_arguments(static_llvm)
  foreach(file IN LISTS static_llvm)
    if(NOT EXISTS ${file})
      set(static_llvm "")
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
if(static_llvm)
  find_package_handle_standard_args(LLVM19 REQUIRED_VARS WEFT_LLVM_CONFIG WEFT_LLVM_INCLUDE_DIR)
else()
  find_package_handle_standard_args(LLVM19
    REQUIRED_VARS WEFT_LLVM_LIBRARY WEFT_LLVM_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "on Debian: apt-get install llvm-19-dev")
endif()

if(LLVM19_FOUND AND NOT TARGET weft_private::llvm)
  add_library(weft_private::llvm INTERFACE IMPORTED)
  target_include_directories(weft_private::llvm SYSTEM INTERFACE "${WEFT_LLVM_INCLUDE_DIR}")
  if(static_llvm)
    target_link_libraries(weft_private::llvm INTERFACE
      ${static_llvm} ${WEFT_ZLIB} ${WEFT_ZSTD} ${CMAKE_DL_LIBS} m)
    target_link_options(weft_private::llvm INTERFACE LINKER:--exclude-libs,ALL LINKER:--gc-sections)
  else()
    target_link_libraries(weft_private::llvm INTERFACE "${WEFT_LLVM_LIBRARY}")
  endif()
endif()
