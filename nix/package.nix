# The doorward binary, built from Cargo.lock: every crate is fetched by the checksum that stands there.
{
  lib,
  rustPlatform,
  rustc,
}:

let
  manifest = builtins.fromTOML (builtins.readFile ../Cargo.toml);
  oldestRust = manifest.package.rust-version;

  # What the build does not read; an edit to any of these builds nothing anew.
  leftOut = lib.fileset.unions (
    map lib.fileset.maybeMissing [
      ../.git
      ../target
      ../state
      ../nix
      ../flake.nix
      ../flake.lock
      ../compose
      ../compose.yaml
      ../Dockerfile
    ]
  );
in

assert lib.assertMsg (lib.versionAtLeast rustc.version oldestRust)
  "doorward needs Rust ${oldestRust} or newer, and this nixpkgs has ${rustc.version}: use a newer nixpkgs for the doorward input";

rustPlatform.buildRustPackage {
  pname = manifest.package.name;
  version = manifest.package.version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.difference ../. leftOut;
  };

  cargoLock.lockFile = ../Cargo.lock;

  # The profile of what is handed out; tests need no such build.
  buildType = "dist";
  checkType = "debug";

  # The other tests want PostgreSQL, Traefik and a browser; `tests/run` has them.
  cargoTestFlags = [ "--lib" ];

  meta = {
    description = manifest.package.description;
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "doorward";
    platforms = lib.platforms.linux;
  };
}
