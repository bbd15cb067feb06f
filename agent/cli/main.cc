#include <iostream>

#include <unistd.h>

#include "agent/cli/colour.h"
#include "agent/cli/command.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  starling::agent::cli::Console console{
      .out = std::cout,
      .err = std::cerr,
      .coloured = starling::agent::cli::wants_colour(STDOUT_FILENO),
  };
  const int status = starling::agent::cli::run(arguments, console);
  std::cout.flush();
  return status;
}
