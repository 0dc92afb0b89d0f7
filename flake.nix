{
  description = "Doorward, a declarative identity provider";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      package = pkgs: pkgs.callPackage ./nix/package.nix { };
    in
    {
      packages = forEach (pkgs: { default = package pkgs; });

      devShells = forEach (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (package pkgs) ];
          packages = [
            pkgs.clippy
            pkgs.rustfmt
            pkgs.nodejs
            pkgs.postgresql
          ];
        };
      });

      nixosModules.default = import ./nix/module.nix;

      # The module on a small machine, with blueprints that are checked while it is built.
      checks = forEach (pkgs: {
        package = package pkgs;
        machine =
          (nixpkgs.lib.nixosSystem {
            inherit (pkgs) system;
            modules = [
              self.nixosModules.default
              ./nix/tests/machine.nix
            ];
          }).config.system.build.toplevel;
      });
    };
}
