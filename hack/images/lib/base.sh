# shellcheck shell=bash
# Base images without a registry: a small Debian, and for the operator a run time cut from this machine's JDK.
# Sourced, never run.

# What the operator and its libraries use; jlink leaves the rest of the JDK out.
JAVA_MODULES=java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.security.jgss,java.sql,java.xml,jdk.crypto.ec,jdk.httpserver,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs

base_suite() { if [ "$1" = python13 ]; then echo trixie; else echo bookworm; fi; }

base_packages() {
  case $1 in
    java) echo ca-certificates,curl,tini ;;
    python | python13) echo ca-certificates,git,git-lfs,libstdc++6,openssh-client,python3,python3-venv,tini ;;
    node) echo ca-certificates,nodejs,npm ;;
    git) echo ca-certificates,git,lighttpd,tini ;;
  esac
}

# What the base is made of, without making it.
base_identity() {
  [ "$ENGINE" = buildah ] && [ -n "$1" ] || return 0
  printf '%s %s\n' "$(base_suite "$1")" "$(base_packages "$1")"
  [ "$1" = java ] || return 0
  printf '%s\n' "$JAVA_MODULES"
  cat "$(find_jdk)/release"
}

# base_image KIND: prints the local name of the base, made when it is not there.
base_image() {
  local name
  name=localhost/codeforge-base-$1:$(base_identity "$1" | sha256sum | cut -c1-16)
  (
    exec 8>"$ARCHIVES/base-$1.lock"
    flock 8
    buildah_here inspect --type image "$name" >/dev/null 2>&1 || make_base "$1" "$name" >&2
  )
  echo "$name"
}

make_base() {
  local work jdk suite
  suite=$(base_suite "$1")
  need_packages mmdebstrap
  work=$(mktemp -d "$ARCHIVES/base.XXXXXX")
  say "  making the base image $1 (Debian $suite: $(base_packages "$1"))"
  mmdebstrap --quiet --variant=essential --include="$(base_packages "$1")" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$work/root.tar" || fail "mmdebstrap could not make a Debian $suite"
  {
    echo 'FROM scratch'
    echo 'ADD root.tar /'
    echo 'ENV PATH=/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8'
  } >"$work/Dockerfile"
  if [ "$1" = java ]; then
    jdk=$(find_jdk)
    say "  cutting a Java run time from $jdk"
    "$jdk/bin/jlink" --add-modules "$JAVA_MODULES" --strip-debug --no-header-files --no-man-pages --output "$work/java"
    echo 'COPY java /opt/java' >>"$work/Dockerfile"
  fi
  buildah_here bud --quiet --tag "$2" "$work" >/dev/null || fail "the base image $1 could not be built"
  rm -rf "$work"
}
