# As much of nixpkgs' `lib` as the module uses, written for these tests: they run without a network.
# It knows one module that sets everything once; merging of several definitions is left to nixpkgs.
let
  inherit (builtins)
    any
    attrNames
    concatLists
    concatMap
    concatStringsSep
    elem
    filter
    genList
    isAttrs
    isBool
    isList
    isString
    length
    map
    match
    stringLength
    substring
    ;
in
rec {
  inherit
    any
    attrNames
    concatMap
    concatStringsSep
    elem
    filter
    ;
  inherit (builtins) attrValues mapAttrs;

  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  genAttrs =
    names: f:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );
  imap1 = f: list: genList (n: f (n + 1) (builtins.elemAt list n)) (length list);
  intersectLists = one: other: filter (x: elem x other) one;
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  optionalString = condition: text: if condition then text else "";
  concatMapStrings = f: list: concatStringsSep "" (map f list);
  concatMapStringsSep = separator: f: list: concatStringsSep separator (map f list);
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasInfix = part: text: length (builtins.split (escapeRegex part) text) > 1;
  escapeRegex = builtins.replaceStrings [ "." "*" "+" "?" "(" ")" "[" "]" "{" "}" "^" "$" "|" "\\" ] [
    "\\."
    "\\*"
    "\\+"
    "\\?"
    "\\("
    "\\)"
    "\\["
    "\\]"
    "\\{"
    "\\}"
    "\\^"
    "\\$"
    "\\|"
    "\\\\"
  ];
  escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  versionAtLeast = have: want: builtins.compareVersions have want >= 0;
  assertMsg = condition: message: if condition then true else throw message;
  recursiveUpdate =
    left: right:
    if isAttrs left && isAttrs right then
      left
      // builtins.mapAttrs (
        name: value: if left ? ${name} then recursiveUpdate left.${name} value else value
      ) right
    else
      right;

  mkOption = option: { _type = "option"; } // option;
  mkEnableOption = what: mkOption {
    type = types.bool;
    default = false;
    description = "Whether to enable ${what}.";
  };
  literalExpression = text: text;
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkDefault = value: value;

  # A type turns a value into what the module sees, or throws and names the place.
  types = rec {
    from = wanted: good: {
      inherit good;
      read = place: value: if good value then value else throw "${place}: not ${wanted}";
    };
    bool = from "a boolean" isBool;
    str = from "a string" isString;
    package = from "a package" (value: isAttrs value && value ? outPath);
    path = from "an absolute path" (
      value: (isString value || builtins.isPath value || value ? outPath) && hasPrefix "/" (toString value)
    );
    strMatching = pattern: from "a fitting string" (value: isString value && match pattern value != null);
    enum = words: from "one of ${concatStringsSep ", " words}" (value: elem value words);
    nullOr = type: {
      good = value: value == null || type.good value;
      read = place: value: if value == null then null else type.read place value;
    };
    listOf = type: {
      good = isList;
      read =
        place: value: if isList value then map (type.read "${place}[]") value else throw "${place}: not a list";
    };
    attrsOf = type: {
      good = isAttrs;
      read =
        place: value:
        if isAttrs value then
          builtins.mapAttrs (name: type.read "${place}.${name}") value
        else
          throw "${place}: not a set";
    };
    coercedTo = source: turn: target: {
      good = value: source.good value || target.good value;
      read =
        place: value: target.read place (if source.good value then turn (source.read place value) else value);
    };
    submodule = module: {
      good = isAttrs;
      read = place: value: readOptions place module.options value;
    };
  };

  readOptions =
    place: options: values:
    let
      unknown = filter (name: !(options ? ${name})) (attrNames values);
      one =
        name: option:
        if values ? ${name} then
          option.type.read "${place}.${name}" values.${name}
        else
          option.default or (throw "${place}.${name}: not set");
    in
    if unknown != [ ] then
      throw "${place}: no option ${concatStringsSep ", " unknown}"
    else
      builtins.mapAttrs one options;

  # What is left of `mkIf` anywhere in a tree of settings.
  settle =
    value:
    if !(isAttrs value) || value ? outPath then
      value
    else if value._type or null == "if" then
      (if value.condition then settle value.content else { })
    else
      builtins.mapAttrs (_: settle) value;

  # A module and those that it imports, with its own options set to `values`.
  evaluate =
    {
      module,
      place,
      values,
      given,
      arguments,
    }:
    let
      config = recursiveUpdate given (atPlace (readOptions "services.doorward" options values));
      atPlace = set: builtins.foldl' (inner: name: { ${name} = inner; }) set (reverse place);
      reverse = list: genList (n: builtins.elemAt list (length list - 1 - n)) (length list);
      load = file: (import file) (arguments // { inherit config; });
      tree = file: [ (load file) ] ++ concatLists (map tree ((load file).imports or [ ]));
      main = load module;
      options = builtins.foldl' (set: name: set.${name}) main.options place;
    in
    builtins.foldl' recursiveUpdate { } (map (part: settle part.config) (tree module));

  licenses = genAttrs [ "mit" "asl20" ] (name: name);
  platforms.linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
  fileset = rec {
    unions = concatLists;
    maybeMissing = path: if builtins.pathExists path then [ path ] else [ ];
    difference = whole: without: {
      inherit whole without;
    };
    toSource =
      { root, fileset }:
      builtins.path {
        path = root;
        name = "source";
        filter = path: _: !(elem path (map toString fileset.without));
      };
  };
}
