# CTest "manifest": CMake compiles what native/sources.json names, no more and no less, with its
# defines, and sees when a source is added. test/package/build.test.ts proves the same of native/addon.gypi.
cmake_minimum_required(VERSION 3.19)

set(COPY "${BINARY}/manifest")
file(REMOVE_RECURSE "${COPY}")
file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/native" DESTINATION "${COPY}")
file(READ "${SOURCE}/native/sources.json" manifest)

# An edit of the list, and of nothing else.
string(JSON last LENGTH "${manifest}" core)
string(JSON manifest SET "${manifest}" core ${last} "\"native/core/added.cc\"")
string(JSON last LENGTH "${manifest}" defines)
string(JSON manifest SET "${manifest}" defines ${last} "\"GRADSTEP_ADDED=1\"")
file(WRITE "${COPY}/native/sources.json" "${manifest}")
file(WRITE "${COPY}/native/core/added.cc" "")

execute_process(
  COMMAND "${CMAKE_COMMAND}" -S "${COPY}" -B "${COPY}/build" -G "${GENERATOR}"
          "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_JS_INC=${COPY}"
  RESULT_VARIABLE status OUTPUT_VARIABLE log ERROR_VARIABLE log)
if(status)
  message(FATAL_ERROR "Configuring the copy failed:\n${log}")
endif()

set(expected "")
foreach(key IN ITEMS kernels core addon)
  string(JSON count LENGTH "${manifest}" ${key})
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON source GET "${manifest}" ${key} ${i})
    list(APPEND expected "${source}")
  endforeach()
endforeach()

set(compiled "")
file(READ "${COPY}/build/compile_commands.json" commands)
string(JSON count LENGTH "${commands}")
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
  string(JSON source GET "${commands}" ${i} file)
  string(JSON command GET "${commands}" ${i} command)
  file(RELATIVE_PATH source "${COPY}" "${source}")
  list(APPEND compiled "${source}")
  if(source MATCHES "^native/addon/" AND NOT command MATCHES "-DGRADSTEP_ADDED=1")
    message(FATAL_ERROR "${source} is compiled without the added define")
  endif()
endforeach()

list(SORT expected)
list(SORT compiled)
if(NOT expected STREQUAL compiled)
  message(FATAL_ERROR "native/sources.json: ${expected}\nCMake compiles: ${compiled}")
endif()
message("${count} sources, each of them from native/sources.json")
