# shellcheck shell=bash
# The JDK that Maven compiles with and that the operator's run time is cut from. Sourced, never run.

# Prints the folder of the newest JDK of at least 21, of those that Maven's toolchain plugin finds too.
find_jdk() {
  local home version best='' best_version=20
  for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/*; do
    if ! [ -x "$home/bin/javac" ] || ! [ -x "$home/bin/jlink" ] || ! [ -f "$home/release" ]; then continue; fi
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    [ "${version:-0}" -gt "$best_version" ] && best=$home best_version=$version
  done
  [ -n "$best" ] || fail "no JDK of version 21 or newer is in JAVA_HOME, /usr/lib/jvm or ~/.sdkman. Install one (Debian 13: apt-get install openjdk-21-jdk-headless; elsewhere Eclipse Temurin) and set JAVA_HOME to it."
  echo "$best"
}
