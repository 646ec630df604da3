# What `cmake --install` puts in place: the static libraries, libweft_jit.so, the public headers, and the files by which
# find_package(weft) and pkg-config find them. bench/CMakeLists.txt adds weft::bench, and weft-bench.pc.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY WEFT_LAYERS)
list(TRANSFORM layers PREPEND weft_ OUTPUT_VARIABLE libraries)
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/weft")

install(TARGETS weft ${libraries} EXPORT weft-targets)
install(TARGETS weft_jit LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT weft-targets NAMESPACE weft:: DESTINATION "${config_dir}")

install(CODE "set(source_dir [[${PROJECT_SOURCE_DIR}]])\nset(include_dir [[${CMAKE_INSTALL_INCLUDEDIR}]])")
install(SCRIPT "${PROJECT_SOURCE_DIR}/cmake/install-headers.cmake")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/weft-config.cmake.in"
  "${PROJECT_BINARY_DIR}/weft-config.cmake"
  INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/weft-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/weft-config.cmake"
  "${PROJECT_BINARY_DIR}/weft-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/Finddnnl.cmake"
  DESTINATION "${config_dir}")

list(REVERSE libraries)  # the linker wants a library before what it uses
list(TRANSFORM libraries PREPEND -l)
list(JOIN libraries " " pc_libraries)
file(RELATIVE_PATH pc_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/weft.pc.in" "${PROJECT_BINARY_DIR}/weft.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/weft.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
