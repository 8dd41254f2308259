// lichen: one program in which a small and a large language model answer as one.
#include "cli/app.h"

int main(int argc, char** argv) { return lichen::cli::run_program(argc, argv); }
