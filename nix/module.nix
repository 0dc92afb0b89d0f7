# services.doorward: what the host decides. Who may use what stands in the blueprints.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:

let
  inherit (lib) mkOption types;

  cfg = config.services.doorward;

  # In unit files and on command lines these characters mean something else.
  directory = types.strMatching "/[^[:space:]:%=\"']*";

  topLevelNodes = [
    "settings"
    "server"
    "email"
    "traefik"
    "ldap"
    "group"
    "user"
    "service-account"
    "policy"
    "flow"
    "app"
    "source"
    "brand"
    "notify"
    "let"
    "template"
    "persona"
    "test"
    "invariant"
  ];

  root = types.submodule {
    options = {
      path = mkOption {
        type = types.path;
        description = "The directory.";
      };
      kinds = mkOption {
        type = types.listOf (types.enum topLevelNodes);
        default = [ ];
        description = "The only kinds of top-level nodes that may stand in it; empty for all.";
      };
    };
  };

  # A string outside the store names a directory of the machine, such as a git checkout. The machine
  # that builds cannot see it.
  isInStore = path: lib.hasPrefix "${builtins.storeDir}/" (toString path);
  isLive = root: builtins.isString root.path && !isInStore root.path;
  live = lib.filter isLive cfg.blueprints;
  numbered = lib.imap1 (number: root: root // { name = toString number; }) cfg.blueprints;

  checked = pkgs.callPackage ./checked-blueprints.nix {
    doorward = cfg.package;
    roots = lib.filter (root: !isLive root) numbered;
    inherit (cfg) revision allowRawRouters;
    check = cfg.checkAtBuild && live == [ ];
  };

  # A path that stays: the link behind it moves, and the server reloads where it would be restarted.
  served =
    root:
    (if isLive root then root.path else "/etc/doorward/blueprints/${root.name}")
    + lib.optionalString (root.kinds != [ ]) "=${lib.concatStringsSep "," root.kinds}";

  option = name: value: lib.optionals (value != null) [ name value ];
  repeated = name: lib.concatMap (option name);

  places =
    repeated "--blueprints" (map served numbered)
    ++ option "--state" cfg.state
    ++ option "--listen" cfg.listen
    ++ repeated "--read-from" cfg.readFrom
    ++ repeated "--write-to" cfg.writeTo
    ++ lib.optional cfg.allowRawRouters "--allow-raw-routers";

  binary = "${cfg.package}/bin/doorward";

  # `toString` and not interpolation: that would copy the secret into the store.
  credential = name: path: "${name}:${toString path}";

  # For root on the host: a command acts as the service's user and knows the same places as the
  # server, unless it is told others.
  command = pkgs.writeShellScriptBin "doorward" ''
    export RUNTIME_DIRECTORY=/run/doorward
    if [ "$(id -u)" != 0 ]; then
      exec ${binary} "$@"
    fi
    if [ -d /run/credentials/doorward.service ]; then
      export CREDENTIALS_DIRECTORY=/run/credentials/doorward.service
    fi
    case "$* " in
    *" --blueprints"* | *" --help "* | *" -h "*) ;;
    "user "* | "plan "* | "apply "* | "reload "* | "status "* | "show "* | "explain "* | "snippet "* | "test "* | "doctor "*)
      cd /var/lib/doorward
      set -- "$@" ${lib.escapeShellArgs places}
      ;;
    esac
    exec ${pkgs.util-linux}/bin/runuser -u doorward -- ${binary} "$@"
  '';
in
{
  imports = [ ./assertions.nix ];

  options.services.doorward = {
    enable = lib.mkEnableOption "Doorward, a declarative identity provider";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package that is served and that checks the blueprints.";
    };

    blueprints = mkOption {
      type = types.listOf (types.coercedTo types.path (path: { inherit path; }) root);
      default = [ ];
      example = lib.literalExpression ''
        [
          ./blueprints
          { path = ./apps-of-friends; kinds = [ "app" "template" ]; }
        ]
      '';
      description = ''
        Directories of blueprints; together they are one configuration. A path such as
        `./blueprints` is copied into the store, and checked and tested while the system is built.
        A string such as `"/srv/blueprints"` is read on the machine as it stands there; if there is
        one, nothing is checked before the server reads it.
      '';
    };

    checkAtBuild = mkOption {
      type = types.bool;
      default = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;
      defaultText = lib.literalExpression "whether this machine can run the package";
      description = "Whether `doorward check` and `doorward test` must pass for the system to build.";
    };

    revision = mkOption {
      type = types.nullOr types.str;
      default = config.system.configurationRevision;
      defaultText = lib.literalExpression "config.system.configurationRevision";
      example = lib.literalExpression "self.rev or self.dirtyRev or null";
      description = ''
        The git revision that status, events and generated files name. It is written beside the
        blueprints in the store, so that a new commit alone restarts nothing.
      '';
    };

    state = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "postgres://doorward@%2Frun%2Fpostgresql/doorward";
      description = ''
        Where people's data lives, in place of what the blueprints say. Where neither says
        anything, it is SQLite in `/var/lib/doorward/state`.
      '';
    };

    listen = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "127.0.0.1:9000";
      description = "The address of the main listener, in place of what the blueprints say.";
    };

    readFrom = mkOption {
      type = types.listOf directory;
      default = [ ];
      example = [ "/run/secrets" ];
      description = "Directories outside the blueprints that secrets and assets may be read from.";
    };

    writeTo = mkOption {
      type = types.listOf directory;
      default = [ ];
      example = [ "/var/lib/doorward-traefik" ];
      description = ''
        Directories that the Traefik file, delivered secrets and backups may be written to, besides
        `/var/lib/doorward/written`. One that does not exist is made, with the owner doorward and open to
        readers; one that exists keeps its owner and mode.
      '';
    };

    credentials = mkOption {
      type = types.attrsOf types.path;
      default = { };
      example = lib.literalExpression ''
        { doorward-master-key = config.sops.secrets.doorward-master-key.path; }
      '';
      description = ''
        Secrets that blueprints name as `(credential)NAME`: each a file that root can read, handed
        over by systemd (`LoadCredential=`).
      '';
    };

    encryptedCredentials = mkOption {
      type = types.attrsOf types.path;
      default = { };
      example = lib.literalExpression "{ smtp-password = ./smtp-password.cred; }";
      description = ''
        The same for files made by `systemd-creds encrypt --name=NAME`
        (`LoadCredentialEncrypted=`). They may lie in git and in the store.
      '';
    };

    environmentFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/run/secrets/doorward.env";
      description = ''
        A file of `NAME=value` lines for secrets that blueprints name as `(env)NAME`. Credentials
        are the better way: every process of the unit can read its environment.
      '';
    };

    allowRawRouters = mkOption {
      type = types.bool;
      default = false;
      description = "Whether `raw` in the `traefik` node may hold routers and services.";
    };

    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [
        "--log"
        "json"
      ];
      description = "More arguments for `doorward serve`.";
    };
  };

  config = lib.mkIf cfg.enable {
    users.users.doorward = {
      isSystemUser = true;
      group = "doorward";
      description = "Doorward";
    };
    users.groups.doorward = { };

    environment.etc."doorward/blueprints".source = checked;
    environment.systemPackages = [ command ];

    # The colons: what exists already keeps its mode, owner and group.
    systemd.tmpfiles.rules = map (path: "d ${path} :0755 :doorward :doorward -") cfg.writeTo;

    systemd.services.doorward = {
      description = "Doorward, a declarative identity provider";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "postgresql.target"
        "postgresql.service"
        "systemd-tmpfiles-resetup.service"
      ];
      reloadTriggers = [ checked ];
      startLimitIntervalSec = 60;
      startLimitBurst = 5;

      serviceConfig = import ./hardening.nix // {
        Type = "exec";
        ExecStart = utils.escapeSystemdExecArgs (
          [
            binary
            "serve"
          ]
          ++ places
          ++ cfg.extraArgs
        );
        # Its exit code is the verdict on the new blueprints; a refusal fails the switch.
        ExecReload = "${binary} reload --wait";
        Restart = "on-failure";
        RestartSec = 2;
        TimeoutStopSec = 30;
        LimitNOFILE = 65536;

        User = "doorward";
        Group = "doorward";
        StateDirectory = "doorward";
        StateDirectoryMode = "0700";
        RuntimeDirectory = "doorward";
        RuntimeDirectoryMode = "0700";
        WorkingDirectory = "/var/lib/doorward";
        ReadWritePaths = cfg.writeTo;

        LoadCredential = lib.mapAttrsToList credential cfg.credentials;
        LoadCredentialEncrypted = lib.mapAttrsToList (
          name: path: "${name}:${path}"
        ) cfg.encryptedCredentials;
        EnvironmentFile = lib.optional (cfg.environmentFile != null) (toString cfg.environmentFile);
      };
    };
  };
}
