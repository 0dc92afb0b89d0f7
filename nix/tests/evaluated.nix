# The module with given settings, evaluated with the stand-ins beside this file.
{
  lib ? import ./lib.nix,
  binary ? "",
}:
let
  pkgs = import ./pkgs.nix { inherit lib binary; };
  quote = argument: builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON (toString argument));
in
values:
lib.evaluate {
  module = ../module.nix;
  place = [
    "services"
    "doorward"
  ];
  values = {
    package = pkgs.doorward;
  }
  // values;
  given.system.configurationRevision = "0123abc-dirty";
  arguments = {
    inherit lib pkgs;
    utils.escapeSystemdExecArgs = lib.concatMapStringsSep " " quote;
  };
}
