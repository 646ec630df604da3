# Writes build.h, what a report says of the library, wherever that has changed: run at each build, for the commit.
execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY "${source_dir}"
  OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit)
  set(commit "unknown: no git")
endif()
file(CONFIGURE OUTPUT "${output}" CONTENT [[// What this library is and was built by.
#pragma once
#define WEFT_VERSION "@version@"
#define WEFT_COMMIT "@commit@"
#define WEFT_BUILD "@build@"
#define WEFT_LIBRARIES "@libraries@"
]] @ONLY)
