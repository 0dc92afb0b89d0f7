# A machine for the checks of flake.nix: a container, so that it needs neither disk nor boot loader.
{
  boot.isContainer = true;
  system.stateVersion = "25.11";

  services.doorward = {
    enable = true;
    blueprints = [ ../../compose/blueprints ];
    revision = "0123abc";
    listen = "127.0.0.1:9000";
    writeTo = [ "/srv/traefik" ];
    credentials.doorward-master-key = "/run/secrets/doorward-master-key";
  };
}
