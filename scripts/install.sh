#!/bin/sh
# Installs the Helm plugin dt from what lies on this machine, or from the registry of this site; nothing else is downloaded.
# Helm keeps its plugins whatever happens: the new one is put beside the old one, tried, and swapped only if it runs.
set -eu

usage() {
  cat <<'END'
usage: install.sh [--helm PATH] [--keyring FILE] SOURCE [-- FLAG…]

  SOURCE          dt-X.Y.Z-PLATFORM.tgz, a folder with such packages (the one for this machine is taken), the folder of
                  an unpacked package, or oci://HOST/PATH/dt:TAG (Helm 4)
  --helm PATH     the Helm to install for (default: $HELM_BIN, or helm on PATH)
  --keyring FILE  verify the signature of the package with these public keys (Helm 4)
  FLAG…           for oci://: flags of "helm plugin install" such as --plain-http or --ca-file FILE
END
}

fail() {
  printf 'dt: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '    %s\n' "$line" >&2; done
  exit 1
}

wrong() {
  printf 'dt: %s\n' "$1" >&2
  usage >&2
  exit 2
}

# A word as a shell reads it back.
quote() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# The value of a plain line of plugin.yaml.
field() {
  sed -n "s/^$2:[[:space:]]*//p" "$1" | sed -n "1{s/[[:space:]]*#.*//;s/[[:space:]]*\$//;s/^[\"']//;s/[\"']\$//;p;}"
}

detect_platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) system=other ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) machine=other ;;
  esac
  echo "$system-$machine"
}

# The package for this machine in a folder, or the one that needs a Node.js.
choose_package() {
  for kind in "$platform" universal; do
    found=
    for candidate in "$1"/dt-*-"$kind".tgz; do
      [ -f "$candidate" ] || continue
      [ -z "$found" ] || fail "$1 has several packages for $kind" "name one of them: install.sh $(quote "$candidate")"
      found=$candidate
    done
    if [ -n "$found" ]; then
      printf '%s\n' "$found"
      return
    fi
  done
  fail "$1 has neither a package for $platform (dt-X.Y.Z-$platform.tgz) nor one for every platform, nor a plugin.yaml"
}

hash_file() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1"
  else
    shasum -a 256 <"$1"
  fi | cut -d ' ' -f 1
}

# A list of checksums beside the package must name it.
check_sum() {
  sums=$(dirname "$1")/SHA256SUMS
  [ -f "$sums" ] || return 0
  wanted=$(sed -n 's/^\([0-9a-f]\{64\}\) [ *]\(.*\)$/\1 \2/p' "$sums" | while IFS=' ' read -r sum name; do
    if [ "$name" = "$(basename "$1")" ]; then echo "$sum"; fi
  done)
  [ -n "$wanted" ] || fail "$sums does not name $(basename "$1")"
  [ "$wanted" = "$(hash_file "$1")" ] || fail "$1 is damaged: it does not have its checksum in $sums" 'copy it again'
}

# Two plugins of one name take all plugins away from Helm, and "helm plugin uninstall" with them.
refuse_others() {
  others=0
  for file in "$plugins"/*/plugin.yaml; do
    [ -f "$file" ] || continue
    folder=$(dirname "$file")
    [ "$folder" != "$target" ] || continue
    [ "$(field "$file" name)" = dt ] || continue
    [ "$others" -gt 0 ] || printf 'dt: another plugin claims the name "dt"; remove it first:\n' >&2
    others=$((others + 1))
    printf '    rm -rf %s\n' "$(quote "$folder")" >&2
  done
  [ "$others" -eq 0 ] || exit 1
}

verify_package() {
  [ -n "$keyring" ] || return 0
  "$helm" plugin verify "$1" --keyring "$keyring" >"$stage/log" 2>&1 || fail "$1 is not verified" "$(cat "$stage/log")"
}

# Leaves the plugin in $stage/new and, if it came as an archive, that in $stage/archive.
stage_package() {
  case $(basename "$1") in
    dt-*-"$platform"*) ;;
    dt-*-linux-* | dt-*-darwin-* | dt-*-win-*) fail "$1 is for another platform: this machine is $platform" ;;
  esac
  check_sum "$1"
  verify_package "$1"
  mkdir "$stage/unpacked"
  # By standard input: tar takes a name with a colon for one on another host.
  tar -xzf - -C "$stage/unpacked" 2>"$stage/log" <"$1" || fail "$1 cannot be unpacked" "$(cat "$stage/log")"
  if [ -f "$stage/unpacked/dt/plugin.yaml" ]; then
    mv "$stage/unpacked/dt" "$stage/new"
  else
    mv "$stage/unpacked" "$stage/new"
  fi
  cp "$1" "$stage/archive"
  if [ -f "$1.prov" ]; then cp "$1.prov" "$stage/archive.prov"; fi
}

stage_registry() {
  [ "$major" -ge 4 ] || fail "Helm $major cannot install plugins from a registry" \
    'give a package instead: install.sh dt-X.Y.Z-PLATFORM.tgz'
  reference=$1
  shift
  if [ -n "$keyring" ]; then
    set -- --verify=true --keyring "$keyring" "$@"
  else
    set -- --verify=false "$@"
  fi
  # Helm's caches are left out: it would write a smaller file over a larger one of the same tag without cutting it.
  (
    unset HELM_PLUGINS
    HELM_DATA_HOME=$stage/data HELM_CACHE_HOME=$stage/cache "$helm" plugin install "$reference" "$@"
  ) >"$stage/log" 2>&1 || fail "Helm cannot install $reference" "$(cat "$stage/log")"
  for file in "$stage"/data/plugins/*; do
    case $file in
      *.tgz) mv "$file" "$stage/archive" ;;
      *.prov) mv "$file" "$stage/archive.prov" ;;
      *) mv "$file" "$stage/new" ;;
    esac
  done
}

# What is staged must be this plugin, and must run here.
try_staged() {
  [ "$(field "$stage/new/plugin.yaml" name 2>/dev/null)" = dt ] || fail "$source is no package of the plugin dt"
  version=$(field "$stage/new/plugin.yaml" version)
  program=$stage/new/dt
  [ -e "$program" ] || program=$stage/new/bin/dt
  "$program" version >"$stage/log" 2>&1 && return
  set -- "$source does not run on this machine ($platform)" "$(cat "$stage/log")"
  # The program of that package itself says what it needs.
  [ -e "$stage/new/dt.cjs" ] || set -- "$@" 'a package for every platform, which needs Node.js 22.13: dt-X.Y.Z-universal.tgz'
  fail "$@"
}

# The old plugin comes back unless the new one is in place and Helm runs it.
restore() {
  status=$?
  trap - EXIT HUP INT TERM
  if [ "$swapped" != 'done' ]; then
    if [ "$swapped" = yes ]; then rm -rf "$target"; fi
    if [ -e "$stage/old" ] || [ -h "$stage/old" ]; then mv "$stage/old" "$target"; fi
  fi
  rm -rf "$stage"
  exit "$status"
}

# A run that was killed between two steps has left the old plugin aside.
recover() {
  for left in "$plugins"/.dt-install.*; do
    [ -d "$left" ] || continue
    process=${left##*.}
    # In containers the killed run may have had the number of this one.
    if [ "$process" != $$ ] && kill -0 "$process" 2>/dev/null; then
      fail "another install.sh is at work (process $process)" \
        "if that process is something else: mv $(quote "$left") $(quote "${left%.*}.left")"
    fi
    if [ ! -e "$target" ] && [ -e "$left/old" ]; then mv "$left/old" "$target"; fi
    rm -rf "$left"
  done
}

swap() {
  if [ -e "$target" ] || [ -h "$target" ]; then
    mv "$target" "$stage/old" 2>"$stage/log" || fail "cannot replace $target" "$(cat "$stage/log")"
  fi
  swapped=yes
  mv "$stage/new" "$target"
  "$helm" dt version >"$stage/log" 2>&1 || fail "Helm cannot run the plugin; nothing was changed" "$(cat "$stage/log")"
  swapped='done'
}

# As Helm 4 does it itself: "helm plugin list" looks there for the signature, and "dt unwrap --with-plugin" for the package.
keep_archive() {
  rm -f "$plugins"/dt-[0-9]*.tgz "$plugins"/dt-[0-9]*.tgz.prov
  [ "$major" -ge 4 ] && [ -f "$stage/archive" ] || return 0
  mv "$stage/archive" "$plugins/dt-$version.tgz"
  if [ -f "$stage/archive.prov" ]; then mv "$stage/archive.prov" "$plugins/dt-$version.tgz.prov"; fi
}

helm=${HELM_BIN:-helm}
keyring=
source=
while [ $# -gt 0 ]; do
  case $1 in
    --helm | --keyring)
      [ $# -gt 1 ] || wrong "$1 needs a value"
      if [ "$1" = --helm ]; then helm=$2; else keyring=$2; fi
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      break
      ;;
    -*) wrong "unknown flag $1" ;;
    *)
      [ -z "$source" ] || wrong 'there is one SOURCE'
      source=$1
      ;;
  esac
  shift
done
[ -n "$source" ] || wrong 'SOURCE is missing'

major=$("$helm" version --template '{{.Version}}' 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
[ -n "$major" ] || fail "cannot run $helm" 'install.sh --helm PATH names another one'
[ "$major" -ge 4 ] || [ -z "$keyring" ] || fail "Helm $major cannot verify plugins" 'leave out --keyring, or use Helm 4'
# Several folders can be named; Helm installs into the first.
plugins=$("$helm" env HELM_PLUGINS 2>/dev/null) || plugins=
[ -n "$plugins" ] || fail "$helm does not say where its plugins are"
plugins=${plugins%%:*}
target=$plugins/dt
platform=$(detect_platform)
recover
refuse_others

stage=$plugins/.dt-install.$$
swapped=no
{ mkdir -p "$plugins" && mkdir "$stage"; } 2>/dev/null || fail "cannot write to the plugins of Helm: $plugins" \
  'HELM_PLUGINS names another folder'
trap restore EXIT
trap 'exit 130' HUP INT TERM
case $source in
  oci://*) stage_registry "$source" "$@" ;;
  *)
    [ $# -eq 0 ] || wrong 'flags behind -- are for oci:// only'
    [ -e "$source" ] || fail "there is no $source"
    if [ -f "$source/plugin.yaml" ]; then
      [ -z "$keyring" ] || fail "$source is a folder: only packages have a signature"
      cp -R "$source/." "$stage/new"
    elif [ -d "$source" ]; then
      package=$(choose_package "$source")
      stage_package "$package"
    else
      stage_package "$source"
    fi
    ;;
esac
try_staged
swap
keep_archive
printf 'dt %s is installed in %s; try: helm dt --help\n' "$version" "$target"
