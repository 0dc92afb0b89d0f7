# Blueprints as the server reads them: one directory for each root, checked and tested while it is built.
{
  lib,
  runCommand,
  doorward,
  # [ { name, path, kinds } ], in the order in which they are given to the server
  roots,
  revision ? null,
  allowRawRouters ? false,
  check ? true,
}:

let
  copy = root: ''
    mkdir -p "$out/${root.name}"
    cp -R --no-preserve=mode,ownership ${lib.escapeShellArg "${root.path}"}/. "$out/${root.name}/"
  '';

  # Beside the blueprints and not on the command line: a new commit must not restart the server.
  mark = root: ''
    printf '%s\n' ${lib.escapeShellArg revision} > "$out/${root.name}/REVISION"
  '';

  argument =
    root:
    ''"$out/${root.name}${lib.optionalString (root.kinds != [ ]) "=${lib.concatStringsSep "," root.kinds}"}"'';

  arguments =
    lib.concatMapStringsSep " " (root: "--blueprints ${argument root}") roots
    + lib.optionalString allowRawRouters " --allow-raw-routers";
in

runCommand "doorward-blueprints" { preferLocalBuild = true; } (
  ''
    mkdir -p "$out"
  ''
  + lib.concatMapStrings copy roots
  + lib.optionalString (revision != null) (lib.concatMapStrings mark roots)
  + lib.optionalString check ''
    export HOME="$TMPDIR"
    cd "$TMPDIR"
    ${doorward}/bin/doorward check --offline --quiet ${arguments}
    ${doorward}/bin/doorward test ${arguments}
  ''
)
