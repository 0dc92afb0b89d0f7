# A stand-in for nixpkgs: derivations are real ones, built by this machine's own shell.
{
  lib ? import ./lib.nix,
  system ? builtins.currentSystem,
  # What `doorward` is: a script that says what it was asked, unless a real binary is given.
  binary ? "",
}:
let
  script =
    name: text:
    derivation {
      inherit name system text;
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      passAsFile = [ "text" ];
      args = [
        "-ec"
        ''mkdir -p "$out/bin"; cp "$textPath" "$out/bin/doorward"; chmod +x "$out/bin/doorward"''
      ];
    };
  standIn = ''
    #!/bin/sh
    echo "asked: $*" >&2
    for word in "$@"; do
      case $word in
      /*) grep -rqs 'broken' "''${word%%=*}" && { echo 'error: this blueprint is broken' >&2; exit 1; } ;;
      esac
    done
    exit 0
  '';
in
rec {
  inherit lib;
  stdenv = {
    buildPlatform.canExecute = _: true;
    hostPlatform = {
      inherit system;
    };
  };
  doorward = script "doorward" (
    if binary == "" then standIn else "#!/bin/sh\nexec ${binary} \"$@\"\n"
  );
  util-linux = "/util-linux";
  inherit (lib.genAttrs [ "clippy" "rustfmt" "rust-analyzer" "postgresql" "traefik" ] (name: name))
    clippy
    rustfmt
    rust-analyzer
    postgresql
    traefik
    ;
  runCommand =
    name: _: text:
    derivation {
      inherit name system;
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      args = [
        "-ec"
        text
      ];
    };
  writeShellScriptBin = name: text: script name "#!/bin/sh\n${text}";
  rustc.version = "1.95.0";
  rustPlatform.buildRustPackage = settings: doorward // { inherit settings; };
  mkShell = settings: doorward // { inherit settings; };
  callPackage =
    file: given:
    let
      f = if builtins.isFunction file then file else import file;
      everything = {
        inherit
          lib
          runCommand
          rustc
          rustPlatform
          writeShellScriptBin
          ;
      };
    in
    f (builtins.intersectAttrs (builtins.functionArgs f) everything // given);
}
