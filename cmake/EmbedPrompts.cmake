# The files of prompts/ as a C++ source, so that the program needs no file beside it.
#
# lichen_embed_prompts(OUTPUT): OUTPUT is written at build time, again when a file changes. As a
# script (cmake -DFOLDER=... -DOUTPUT=... -P EmbedPrompts.cmake) this file writes it.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${FOLDER}/*.txt)
  list(SORT files)
  set(rows "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} text)
    string(REGEX REPLACE "\n+$" "" text "${text}")  # an editor's last line feed is no part of it
    string(APPEND rows "    {\"${name}\", R\"prompt(${text})prompt\"},\n")
  endforeach()
  file(WRITE ${OUTPUT} "// Made from prompts/ by cmake/EmbedPrompts.cmake.
#include \"mechanisms/prompts.h\"

namespace lichen::mechanisms {

static constexpr Prompt kPrompts[] = {
${rows}};

std::span<const Prompt> prompts() { return kPrompts; }

}  // namespace lichen::mechanisms
")
  return()
endif()

set(LICHEN_EMBED_PROMPTS ${CMAKE_CURRENT_LIST_FILE})
function(lichen_embed_prompts output)
  set(folder ${PROJECT_SOURCE_DIR}/prompts)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.txt)
  add_custom_command(OUTPUT ${output} DEPENDS ${files} ${LICHEN_EMBED_PROMPTS}
                     COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${output}
                             -P ${LICHEN_EMBED_PROMPTS}
                     COMMENT "Embedding prompts/" VERBATIM)
endfunction()
