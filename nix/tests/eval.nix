# What becomes of the module's options: the unit, the files beside it, and what is refused.
# The value is the report: one line for each test, and the count.
let
  lib = import ./lib.nix;
  inherit (builtins) toJSON;

  evaluated = import ./evaluated.nix { inherit lib; };
  machine = values: evaluated ({ enable = true; } // plain // values);
  unit = values: (machine values).systemd.services.doorward;
  service = values: (unit values).serviceConfig;
  plain.blueprints = [ ./blueprints ];

  # The arguments of `doorward serve` as systemd hands them over.
  start =
    values:
    let
      quoted = lib.filter builtins.isList (builtins.split "\"([^\"]*)\"" (service values).ExecStart);
    in
    map (part: builtins.elemAt part 0) (builtins.tail (builtins.tail quoted));

  failed = values: lib.filter (one: !one.assertion) (machine values).assertions;
  refused =
    words: values:
    builtins.length (failed values) == 1
    && lib.hasInfix words (builtins.head (failed values)).message;
  throws = values: !(builtins.tryEval (builtins.deepSeq (service (plain // values)) true)).success;

  is = got: want: {
    pass = got == want;
    text = "got ${toJSON got}, wanted ${toJSON want}";
  };
  holds = pass: {
    inherit pass;
    text = "it does not";
  };

  tests = {
    "a disabled service adds nothing" =
      is (evaluated { enable = false; } ? systemd) false;

    "blueprints are served from a path that does not change" = is (start { }) [
      "--blueprints"
      "/etc/doorward/blueprints/1"
    ];
    "the path leads to the checked copy" = holds (
      (machine { }).environment.etc."doorward/blueprints".source.name == "doorward-blueprints"
    );
    "a change of blueprints reloads and does not restart" = holds (
      (unit { }).serviceConfig.ExecStart == (unit { blueprints = [ ./broken ]; }).serviceConfig.ExecStart
      && (unit { }).reloadTriggers != (unit { blueprints = [ ./broken ]; }).reloadTriggers
    );
    "a new revision changes nothing in the unit but its reload trigger" =
      let
        without = values: removeAttrs (unit values) [ "reloadTriggers" ];
      in
      holds (
        toJSON (without { revision = "a"; }) == toJSON (without { revision = "b"; })
        && (unit { revision = "a"; }).reloadTriggers != (unit { revision = "b"; }).reloadTriggers
      );
    "the revision is the system's unless given" = holds (
      lib.hasInfix "0123abc-dirty" (toJSON (builtins.head (unit { }).reloadTriggers).args)
    );
    "the reload's exit code is the verdict" = holds (
      lib.hasInfix "/bin/doorward reload --wait" (service { }).ExecReload
    );
    "without kinds a root may hold everything, with kinds only those" =
      is
        (start {
          blueprints = [
            ./blueprints
            {
              path = ./broken;
              kinds = [
                "app"
                "template"
              ];
            }
          ];
        })
        [
          "--blueprints"
          "/etc/doorward/blueprints/1"
          "--blueprints"
          "/etc/doorward/blueprints/2=app,template"
        ];
    "a directory of the machine is read where it is" = is (start { blueprints = [ "/srv/blueprints" ]; }) [
      "--blueprints"
      "/srv/blueprints"
    ];
    "a directory of the machine is not checked, and that is said" = holds (
      builtins.length (machine { blueprints = [ "/srv/blueprints" ]; }).warnings == 1
      && !(lib.hasInfix "check --offline" (
        toJSON (builtins.head (unit { blueprints = [ "/srv/blueprints" ]; }).reloadTriggers).args
      ))
    );
    "the check can be left out" = holds (
      !(lib.hasInfix "check --offline" (
        toJSON (builtins.head (unit { checkAtBuild = false; }).reloadTriggers).args
      ))
    );
    "raw routers that the server may have pass the check at build time" = holds (
      lib.hasInfix "--allow-raw-routers" (
        toJSON (builtins.head (unit { allowRawRouters = true; }).reloadTriggers).args
      )
    );
    "a command on the host is told the places of the server" = holds (
      lib.hasInfix "'--blueprints' '/etc/doorward/blueprints/1' '--listen' '127.0.0.1:9000'\n" (
        builtins.head
          (machine {
            listen = "127.0.0.1:9000";
            extraArgs = [ "--strict" ];
          }).environment.systemPackages
      ).text
    );
    "every setting of the host is an argument" =
      is
        (start {
          state = "postgres://doorward@%2Frun%2Fpostgresql/doorward";
          listen = "0.0.0.0:9000";
          readFrom = [ "/run/secrets" ];
          writeTo = [
            "/srv/traefik"
            "/srv/backups"
          ];
          allowRawRouters = true;
          extraArgs = [
            "--log"
            "json"
          ];
        })
        [
          "--blueprints"
          "/etc/doorward/blueprints/1"
          "--state"
          # A percent sign is written twice in a unit.
          "postgres://doorward@%%2Frun%%2Fpostgresql/doorward"
          "--listen"
          "0.0.0.0:9000"
          "--read-from"
          "/run/secrets"
          "--write-to"
          "/srv/traefik"
          "--write-to"
          "/srv/backups"
          "--allow-raw-routers"
          "--log"
          "json"
        ];
    "what is written to is writable and made if missing" = is {
      unit = (service { writeTo = [ "/srv/traefik" ]; }).ReadWritePaths;
      made = (machine { writeTo = [ "/srv/traefik" ]; }).systemd.tmpfiles.rules;
    } {
      unit = [ "/srv/traefik" ];
      made = [ "d /srv/traefik :0755 :doorward :doorward -" ];
    };
    "credentials are handed over by name" =
      is
        (service {
          credentials = {
            doorward-master-key = "/run/secrets/key";
            smtp-password = "/run/secrets/smtp";
          };
        }).LoadCredential
        [
          "doorward-master-key:/run/secrets/key"
          "smtp-password:/run/secrets/smtp"
        ];
    "a credential is never copied into the store" = is (service {
      credentials.key = ./blueprints/home.kdl;
    }).LoadCredential [ "key:${toString ./blueprints/home.kdl}" ];
    "encrypted credentials may come from the store" = holds (
      lib.hasPrefix "key:${builtins.storeDir}/" (
        builtins.head
          (service { encryptedCredentials.key = ./blueprints/home.kdl; }).LoadCredentialEncrypted
      )
    );
    "an environment file is passed on" = is (service {
      environmentFile = "/run/secrets/env";
    }).EnvironmentFile [ "/run/secrets/env" ];
    "the unit has a user of its own and no capability" = is {
      inherit (service { })
        User
        CapabilityBoundingSet
        NoNewPrivileges
        ProtectSystem
        StateDirectory
        RuntimeDirectory
        ;
      declared = (machine { }).users.users.doorward.isSystemUser;
    } {
      User = "doorward";
      CapabilityBoundingSet = "";
      NoNewPrivileges = true;
      ProtectSystem = "strict";
      StateDirectory = "doorward";
      RuntimeDirectory = "doorward";
      declared = true;
    };
    "a plain machine meets every assertion" = is (map (one: one.message) (failed { })) [ ];

    "no blueprints are refused" = holds (refused "has no blueprints" { blueprints = [ ]; });
    "a password in the state is refused" = holds (
      refused "state holds a password" { state = "postgres://doorward:hunter2@db/doorward"; }
    );
    "a password in the state's options is refused" = holds (
      refused "state holds a password" { state = "postgres://db/doorward?user=d&password=hunter2"; }
    );
    "a state without password is accepted" = is (failed { state = "postgres://doorward@db:5432/doorward"; }) [ ];
    "a secret in the store is refused" = holds (
      refused "lies in the Nix store" { credentials.key = "${builtins.storeDir}/abc-key"; }
    );
    "a home directory is refused" = holds (
      refused "sees no home directories" { readFrom = [ "/home/alice/secrets" ]; }
    );
    "a name that only begins like a home directory is accepted" = is (failed { readFrom = [ "/homelab" ]; }) [ ];
    "a credential with a slash in its name is refused" = holds (
      refused "cannot be called" { credentials."a/b" = "/run/a"; }
    );
    "a credential given twice is refused" = holds (
      refused "keep one of them" {
        credentials.key = "/run/a";
        encryptedCredentials.key = "/run/b";
      }
    );
    "--dev is refused" = holds (refused "has --dev" { extraArgs = [ "--dev" ]; });
    "a path with a space is refused" = holds (
      refused "has a character" { blueprints = [ "/srv/my blueprints" ]; }
    );

    "an unknown kind is an error" = holds (throws {
      blueprints = [
        {
          path = ./blueprints;
          kinds = [ "apps" ];
        }
      ];
    });
    "an unknown option is an error" = holds (throws {
      blueprint = [ ];
    });
    "a relative directory is an error" = holds (throws { writeTo = [ "traefik" ]; });
  };

  line = name: if tests.${name}.pass then "ok: ${name}" else "FAILED: ${name}: ${tests.${name}.text}";
  bad = lib.filter (name: !tests.${name}.pass) (lib.attrNames tests);
  count = builtins.length (lib.attrNames tests);
in
{
  report = lib.concatMapStringsSep "\n" line (lib.attrNames tests);
  passed = count - builtins.length bad;
  failed = builtins.length bad;
}
