# What cannot work or would give something away, said in words before anything is built.
{ config, lib, ... }:

let
  cfg = config.services.doorward;

  inStore = path: lib.hasPrefix "${builtins.storeDir}/" (toString path);
  isBeneath = path: top: path == top || lib.hasPrefix "${top}/" path;
  inHome =
    path:
    lib.any (isBeneath (toString path)) [
      "/home"
      "/root"
      "/run/user"
    ];

  livePaths = map (root: root.path) (
    lib.filter (root: builtins.isString root.path && !inStore root.path) cfg.blueprints
  );
  hidden = lib.filter inHome (livePaths ++ cfg.readFrom ++ cfg.writeTo);
  readable = lib.filter inStore (
    lib.attrValues cfg.credentials ++ lib.optional (cfg.environmentFile != null) cfg.environmentFile
  );
  names = lib.attrNames cfg.credentials ++ lib.attrNames cfg.encryptedCredentials;
  badNames = lib.filter (name: builtins.match "[A-Za-z0-9_.-]+" name == null) names;
  twice = lib.intersectLists (lib.attrNames cfg.credentials) (
    lib.attrNames cfg.encryptedCredentials
  );
  holdsPassword =
    cfg.state != null && builtins.match "[^:]+://[^/@]*:[^/@]*@.*|.*[?&]password=.*" cfg.state != null;
  badPaths = lib.filter (path: builtins.match "/[^[:space:]:%=\"']*" path == null) livePaths;

  list = lib.concatMapStringsSep ", " toString;
in
{
  config = lib.mkIf cfg.enable {
    warnings = lib.optional (livePaths != [ ] && cfg.checkAtBuild) (
      "services.doorward: ${list livePaths} lies outside the Nix store, so blueprints are not checked"
      + " at build time; the server checks them when it reads them"
    );

    assertions = [
      {
        assertion = cfg.blueprints != [ ];
        message = "services.doorward has no blueprints; name a directory, as in services.doorward.blueprints = [ ./blueprints ];";
      }
      {
        assertion = badPaths == [ ];
        message = "services.doorward.blueprints: ${list badPaths} has a character that unit files and arguments read otherwise; use a path without spaces, quotes, `:`, `%` and `=`";
      }
      {
        assertion = hidden == [ ];
        message = "services.doorward names ${list hidden}, but the unit sees no home directories; use a directory elsewhere, such as one below /srv or /var/lib";
      }
      {
        assertion = readable == [ ];
        message = "services.doorward: the secret ${list readable} lies in the Nix store, where everybody may read it; name a file on the machine as a string, or use encryptedCredentials";
      }
      {
        assertion = badNames == [ ];
        message = "services.doorward: a credential cannot be called ${list badNames}; use letters, digits, `.`, `_` and `-`";
      }
      {
        assertion = twice == [ ];
        message = "services.doorward: ${list twice} stands in credentials and in encryptedCredentials; keep one of them";
      }
      {
        assertion = !holdsPassword;
        message = "services.doorward.state holds a password, and everybody on the machine may read unit files; use a socket without password, as in postgres://doorward@%2Frun%2Fpostgresql/doorward";
      }
      {
        assertion = !(lib.elem "--dev" cfg.extraArgs);
        message = "services.doorward.extraArgs has --dev, which is for trying things out on one machine: it accepts secrets in blueprints and trusts every local process; remove it";
      }
    ];
  };
}
