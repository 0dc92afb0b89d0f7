# The unit as text, the way NixOS writes it, for systemd's own checks.
{
  lib ? import ./lib.nix,
}:
let
  machine = import ./evaluated.nix { inherit lib; } {
    enable = true;
    blueprints = [ ./blueprints ];
    listen = "127.0.0.1:9000";
    state = "postgres://doorward@%2Frun%2Fpostgresql/doorward";
    writeTo = [ "/srv/traefik" ];
    credentials.doorward-master-key = "/run/secrets/doorward-master-key";
    encryptedCredentials.smtp-password = "/etc/doorward/smtp-password.cred";
  };
  unit = machine.systemd.services.doorward;

  value = one: if builtins.isBool one then (if one then "true" else "false") else toString one;
  lines =
    set:
    lib.concatMapStrings (
      name:
      lib.concatMapStrings (one: "${name}=${value one}\n") (
        if builtins.isList set.${name} then set.${name} else [ set.${name} ]
      )
    ) (lib.attrNames set);
in
{
  service = ''
    [Unit]
    Description=${unit.description}
    Wants=${toString unit.wants}
    After=${toString unit.after}
    StartLimitIntervalSec=${toString unit.startLimitIntervalSec}
    StartLimitBurst=${toString unit.startLimitBurst}
    X-Reload-Triggers=${toString unit.reloadTriggers}

    [Service]
    ${lines unit.serviceConfig}
    [Install]
    WantedBy=${toString unit.wantedBy}
  '';
  tmpfiles = lib.concatMapStrings (rule: rule + "\n") machine.systemd.tmpfiles.rules;
}
