# LLVM 19's shared library as the imported target weft_private::llvm. (LLVM's own config file looks for a dozen packages
# and a hundred static libraries, of which we need none.)
find_program(WEFT_LLVM_CONFIG NAMES llvm-config-19 HINTS /usr/lib/llvm-19/bin)
mark_as_advanced(WEFT_LLVM_CONFIG)
if(WEFT_LLVM_CONFIG)
  execute_process(COMMAND "${WEFT_LLVM_CONFIG}" --includedir OUTPUT_VARIABLE include_hint OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND "${WEFT_LLVM_CONFIG}" --libdir OUTPUT_VARIABLE lib_hint OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
find_path(WEFT_LLVM_INCLUDE_DIR llvm/ExecutionEngine/Orc/LLJIT.h
  HINTS "${include_hint}" /usr/lib/llvm-19/include /usr/include/llvm-19 NO_CMAKE_SYSTEM_PATH)
find_library(WEFT_LLVM_LIBRARY LLVM-19 HINTS "${lib_hint}" /usr/lib/llvm-19/lib)
mark_as_advanced(WEFT_LLVM_INCLUDE_DIR WEFT_LLVM_LIBRARY)
unset(include_hint)
unset(lib_hint)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LLVM19
  REQUIRED_VARS WEFT_LLVM_LIBRARY WEFT_LLVM_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "on Debian: apt-get install llvm-19-dev")

if(LLVM19_FOUND AND NOT TARGET weft_private::llvm)
  add_library(weft_private::llvm UNKNOWN IMPORTED)
  set_target_properties(weft_private::llvm PROPERTIES
    IMPORTED_LOCATION "${WEFT_LLVM_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WEFT_LLVM_INCLUDE_DIR}")
endif()
