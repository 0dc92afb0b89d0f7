# In the place of the nixpkgs input of flake.nix; the test runner lays the stand-ins beside it.
{
  outputs =
    _:
    let
      lib = import ./lib.nix;
      of = system: import ./pkgs.nix { inherit lib system; };
    in
    {
      lib = lib // {
        # What the machine's own module sets, given to the module of the flake.
        nixosSystem =
          { system, modules }:
          let
            pkgs = of system;
            flakes = (builtins.elemAt modules 0) { inherit lib pkgs; };
            own = import (builtins.elemAt modules 1);
            machine = lib.evaluate {
              module = builtins.head flakes.imports;
              place = [
                "services"
                "doorward"
              ];
              values = flakes.services.doorward // own.services.doorward;
              given.system.configurationRevision = null;
              arguments = {
                inherit lib pkgs;
                utils.escapeSystemdExecArgs = toString;
              };
            };
          in
          {
            config.system.build.toplevel = machine.environment.etc."doorward/blueprints".source;
          };
      };
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] of;
    };
}
