# libweft_jit.so: the code generator, the only part that includes and links LLVM. compiler/jit/loader.cpp, a part of
# weft_compiler, opens it with dlopen when the first kernel must be generated: who needs none does not pay for LLVM.
# It stands alone: what it needs of the layers below is compiled into it once more, hidden.
file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/compiler/jit/*.cpp")
list(FILTER sources EXCLUDE REGEX "/loader\\.cpp$")
list(APPEND sources compiler/kernel.cpp compiler/row_passes.cpp ops/formula.cpp tensor/isa.cpp)

add_library(weft_jit MODULE ${sources})
weft_options(weft_jit)
set_target_properties(weft_jit PROPERTIES
  CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON
  LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
target_link_libraries(weft_jit PRIVATE weft_private::llvm fmt::fmt)
target_link_options(weft_jit PRIVATE -Wl,-Bsymbolic -Wl,--build-id=sha1)  # the id: see compiler/jit/library_id.h
if(NOT WEFT_SANITIZE)  # whose own symbols are in the program
  target_link_options(weft_jit PRIVATE -Wl,--no-undefined)
endif()

# What a kernel is and how it is called: the library and the code generator refuse each other where they differ there.
set(interface compiler/kernel.h compiler/kernel.cpp compiler/row_passes.cpp compiler/jit/jit.h ops/formula.h
  ops/reduction.h tensor/dtype.h tensor/isa.h)
set(hashes "")
foreach(file IN LISTS interface)
  file(SHA1 "${PROJECT_SOURCE_DIR}/${file}" hash)
  string(APPEND hashes "${hash}")
endforeach()
string(SHA1 hash "${hashes}")
string(SUBSTRING "${hash}" 0 16 hash)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${interface})
set_property(SOURCE "${PROJECT_SOURCE_DIR}/compiler/jit/loader.cpp" "${PROJECT_SOURCE_DIR}/compiler/jit/jit.cpp"
  APPEND PROPERTY COMPILE_DEFINITIONS "WEFT_KERNEL_INTERFACE=0x${hash}")

# Where loader.cpp finds it: the build tree's folder, or by its bare name, which the run path of a program that links
# weft leads to the build tree or to the place of installation, wherever that is now.
add_dependencies(weft_compiler weft_jit)
set_property(SOURCE "${PROJECT_SOURCE_DIR}/compiler/jit/loader.cpp" APPEND PROPERTY COMPILE_DEFINITIONS
  "WEFT_JIT_DIR=\"${PROJECT_BINARY_DIR}/lib\"")
target_link_options(weft_compiler INTERFACE
  "$<BUILD_INTERFACE:LINKER:-rpath,${PROJECT_BINARY_DIR}/lib>"
  "$<INSTALL_INTERFACE:LINKER:-rpath,$<INSTALL_PREFIX>/${CMAKE_INSTALL_LIBDIR}>")
