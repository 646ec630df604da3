# Runs `program`; its output must be the text of the file `expected`.
cmake_minimum_required(VERSION 3.25)
file(READ "${expected}" wanted)
execute_process(COMMAND "${program}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
if(NOT "x${printed}" STREQUAL "x${wanted}")
  message(FATAL_ERROR "README.md shows:\n${wanted}\nthe program prints:\n${printed}")
endif()
