# oneDNN as the imported target weft_private::dnnl. (Debian 12's own dnnl-config.cmake wants OpenCL, which nothing here
# needs.)
find_path(WEFT_DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(WEFT_DNNL_LIBRARY dnnl)
mark_as_advanced(WEFT_DNNL_INCLUDE_DIR WEFT_DNNL_LIBRARY)

if(WEFT_DNNL_INCLUDE_DIR AND EXISTS "${WEFT_DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h")
  file(STRINGS "${WEFT_DNNL_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" lines
    REGEX "DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]")
  string(REGEX REPLACE "[^0-9;]" "" lines "${lines}")
  list(JOIN lines "." dnnl_VERSION)
  unset(lines)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(dnnl
  REQUIRED_VARS WEFT_DNNL_LIBRARY WEFT_DNNL_INCLUDE_DIR
  VERSION_VAR dnnl_VERSION
  REASON_FAILURE_MESSAGE "on Debian: apt-get install libdnnl-dev")

if(dnnl_FOUND AND NOT TARGET weft_private::dnnl)
  add_library(weft_private::dnnl UNKNOWN IMPORTED)
  set_target_properties(weft_private::dnnl PROPERTIES
    IMPORTED_LOCATION "${WEFT_DNNL_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WEFT_DNNL_INCLUDE_DIR}")
endif()
