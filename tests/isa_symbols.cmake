# An object compiled for AVX2 or AVX-512 may define no weak symbol: the linker may take that copy of, say, an inline
# function of the standard library for the whole program, which then dies on a machine without that instruction set.
# In: nm; list, a file that names the objects.
cmake_minimum_required(VERSION 3.25)

file(STRINGS "${list}" objects REGEX "_(avx2|avx512|avx512bf16)\\.cpp\\.o$")
set(found "")
foreach(object IN LISTS objects)
  execute_process(COMMAND "${nm}" --demangle --defined-only "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [VWuvw] [^\n]*" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    string(APPEND found "${object}: ${symbol}\n")
  endforeach()
endforeach()
if(found)
  message(FATAL_ERROR "weak symbols in code for one instruction set:\n${found}")
endif()
list(LENGTH objects count)
if(count EQUAL 0)
  message(FATAL_ERROR "no object to look at in ${list}")
endif()
message("no weak symbol in ${count} objects")
