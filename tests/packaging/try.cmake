# One packaging test; CMakeLists.txt beside it says what it is given.
cmake_minimum_required(VERSION 3.25)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH source)
cmake_path(GET source PARENT_PATH source)
set(consumer "${CMAKE_CURRENT_LIST_DIR}/consumer")

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The user's own bench, without a word about what its step computes: all figures are there.
function(run_bench)
  run("${work}/consumer_bench" --threads 1 --benchmark_min_time=0.001 --out "${work}/report")
  foreach(file bench.json bench.md roofline.svg)
    file(READ "${work}/report/${file}" text)
    if(text STREQUAL "")
      message(FATAL_ERROR "${file} is empty")
    endif()
  endforeach()
  file(READ "${work}/report/bench.md" text)
  # name | time | variation | GFLOP/s | GB/s | roofline
  set(figures "[0-9.]+ [mun]s \\| [0-9.]+ % \\| [0-9.e-]+ \\| [0-9.e-]+ \\| [0-9]+ % \\|")
  if(NOT text MATCHES "consumer/eager \\| ${figures}.*consumer/compile \\| ${figures}")
    message(FATAL_ERROR "the table lacks the model:\n${text}")
  endif()
endfunction()

function(build_and_run)  # with the arguments for CMake
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  run("${CMAKE_COMMAND}" -S "${consumer}" -B "${work}" -G "${generator}" "-DCMAKE_CXX_COMPILER=${compiler}"
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${launcher}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${work}" --parallel ${cores})
  run("${work}/consumer")
  run_bench()
endfunction()

# pkg_config_flags(VARIABLE PACKAGE)
function(pkg_config_flags variable package)
  set(ENV{PKG_CONFIG_PATH} "${prefix}/${libdir}/pkgconfig")
  execute_process(COMMAND "${pkg_config}" --cflags --libs ${package}
    OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  set(${variable} "${flags}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${work}")
if("${way}" STREQUAL "install")
  file(REMOVE_RECURSE "${prefix}")
  run("${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}")
elseif("${way}" STREQUAL "find_package")
  build_and_run("-DCMAKE_PREFIX_PATH=${prefix}")
elseif("${way}" STREQUAL "pkg_config")
  pkg_config_flags(flags weft)
  pkg_config_flags(bench_flags weft-bench)
  file(MAKE_DIRECTORY "${work}")
  # However the user's files are compiled, their op has the same bits.
  set(said "")
  foreach(options "-O0" "-O2 -march=native")
    separate_arguments(options UNIX_COMMAND "${options}")
    run("${compiler}" ${options} "${consumer}/main.cpp" "${consumer}/wave.cpp" -o "${work}/consumer" ${flags})
    execute_process(COMMAND "${work}/consumer" OUTPUT_VARIABLE text COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCH "bits of wave [0-9a-f]+" bits "${text}")
    message("${text}")
    if(NOT bits OR (said AND NOT said STREQUAL bits))
      message(FATAL_ERROR "${options}: \"${bits}\", before \"${said}\"")
    endif()
    set(said "${bits}")
  endforeach()
  run("${compiler}" "${consumer}/bench.cpp" -o "${work}/consumer_bench" ${bench_flags})
  run_bench()
elseif("${way}" STREQUAL "add_subdirectory")
  # The flags of ./run's build, so that ccache has the objects already.
  build_and_run("-DWEFT_SOURCE=${source}" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON)
else()
  message(FATAL_ERROR "no such way: ${way}")
endif()
