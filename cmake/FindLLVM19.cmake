# LLVM 19's shared library as the imported target weft_private::llvm. (LLVM's own config file looks for a dozen packages
# and a hundred static libraries, of which we need none.)
find_path(WEFT_LLVM_INCLUDE_DIR llvm/ExecutionEngine/Orc/LLJIT.h
  HINTS /usr/lib/llvm-19/include NO_CMAKE_SYSTEM_PATH)  # /usr/include may hold the headers of another version
find_library(WEFT_LLVM_LIBRARY LLVM-19 HINTS /usr/lib/llvm-19/lib)
mark_as_advanced(WEFT_LLVM_INCLUDE_DIR WEFT_LLVM_LIBRARY)

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
