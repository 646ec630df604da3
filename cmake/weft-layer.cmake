# weft_options(TARGET): what every target of this project is compiled with. All of it is private: it reaches no user.
function(weft_options target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -ffp-contract=off -Wall -Wextra
    "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")  # an error says "at examples/mlp.cpp:41"
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # what g++ guesses from optimised code differs by version and is often wrong
    target_compile_options(${target} PRIVATE -Wno-error=array-bounds -Wno-error=stringop-overflow
      -Wno-error=stringop-overread -Wno-error=maybe-uninitialized -Wno-error=dangling-pointer -Wno-error=restrict)
  else()  # libstdc++ 12's own stable_sort calls what it has marked as deprecated
    target_compile_options(${target} PRIVATE -Wno-error=deprecated-declarations)
  endif()
  if(WEFT_SANITIZE)
    list(JOIN WEFT_SANITIZE "," sanitizers)
    string(REPLACE undefined undefined,float-cast-overflow sanitizers "${sanitizers}")
    target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)  # std::vector and std::span check their indices
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
  endif()
endfunction()

# weft_untimed(TARGET): those options for a program of which nothing is timed: less than half the time to build. The library
# stays as it is.
function(weft_untimed target)
  weft_options(${target})
  target_compile_options(${target} PRIVATE -O0)
endfunction()

# For each instruction set; of the baseline none.
set(weft_flags_avx2 -mavx2 -mfma -mf16c)
set(weft_flags_avx512 ${weft_flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd
  -mprefer-vector-width=512)
set(weft_flags_avx512bf16 ${weft_flags_avx512} -mavx512bf16)

# weft_isa_flags(FILES...): x_base.cpp, x_avx2.cpp and x_avx512.cpp are one loop for three instruction sets;
# x_avx512bf16.cpp is for the CPUs that have one more. The two
# -fno allow it to be vectorized; they change no bit. The address sanitizer does not watch their local
# variables, which are thousands: a loops_*.cpp would compile for over six minutes, and not for a quarter of one.
function(weft_isa_flags)
  set(loops -fno-math-errno -fno-trapping-math $<$<CONFIG:Release>:-O3>)
  if("address" IN_LIST WEFT_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    list(APPEND loops --param=asan-stack=0)
  elseif("address" IN_LIST WEFT_SANITIZE)
    list(APPEND loops -mllvm=-asan-stack=0)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    list(APPEND loops -Wno-uninitialized -Wno-maybe-uninitialized)  # from its own intrinsics: GCC bug 105593
  endif()
  foreach(file IN LISTS ARGN)
    if(file MATCHES "_(base|avx2|avx512|avx512bf16)\\.cpp$")
      set_property(SOURCE "${file}" APPEND PROPERTY COMPILE_OPTIONS ${loops} ${weft_flags_${CMAKE_MATCH_1}})
    endif()
  endforeach()
endfunction()

# weft_layer(NAME [PRIVATE libraries...]): the static library weft_NAME of all sources in the folder NAME, upon the
# layer that was declared before it.
function(weft_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" PRIVATE)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${name}/*.cpp")
  if(name STREQUAL compiler)  # the folder jit is a library of its own, but for what loads it
    list(FILTER sources EXCLUDE REGEX "/compiler/jit/")
    file(GLOB loader CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/compiler/jit/loader.cpp")
    list(APPEND sources ${loader})
  endif()
  if(NOT sources)  # a library needs one
    set(sources "${PROJECT_BINARY_DIR}/empty_${name}.cpp")
    file(WRITE "${sources}" "")
  endif()
  weft_isa_flags(${sources})

  add_library(weft_${name} STATIC ${sources})
  add_library(weft::${name} ALIAS weft_${name})
  set_target_properties(weft_${name} PROPERTIES EXPORT_NAME ${name})
  weft_options(weft_${name})
  target_include_directories(weft_${name} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  get_property(layers GLOBAL PROPERTY WEFT_LAYERS)
  if(layers)
    list(GET layers -1 below)
    target_link_libraries(weft_${name} PUBLIC weft_${below})
  endif()
  target_link_libraries(weft_${name} PRIVATE ${arg_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY WEFT_LAYERS ${name})
endfunction()
