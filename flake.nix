{
  description = "Doorward, a declarative identity provider";

  # Rust 1.95 or newer is needed; nix/package.nix says so when it is older.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      eachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      packageFor = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system}.default;
    in
    {
      packages = eachSystem (pkgs: rec {
        doorward = pkgs.callPackage ./nix/package.nix { };
        default = doorward;
      });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (packageFor pkgs) ];
          packages = [
            pkgs.clippy
            pkgs.rustfmt
            pkgs.rust-analyzer
            pkgs.postgresql
            pkgs.traefik
          ];
        };
      });

      nixosModules = rec {
        doorward =
          { lib, pkgs, ... }:
          {
            imports = [ ./nix/module.nix ];
            services.doorward.package = lib.mkDefault (packageFor pkgs);
          };
        default = doorward;
      };

      checks = eachSystem (pkgs: {
        package = packageFor pkgs;

        blueprints = pkgs.callPackage ./nix/checked-blueprints.nix {
          doorward = packageFor pkgs;
          roots = [
            {
              name = "compose";
              path = ./compose/blueprints;
              kinds = [ ];
            }
          ];
        };

        machine =
          (lib.nixosSystem {
            inherit (pkgs.stdenv.hostPlatform) system;
            modules = [
              self.nixosModules.default
              ./nix/tests/machine.nix
            ];
          }).config.system.build.toplevel;
      });
    };
}
