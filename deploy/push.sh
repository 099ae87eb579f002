#!/usr/bin/env bash
# Brings a package of `mien` onto a board and sees it run; puts the one before back when it does not.
#
#   deploy/push.sh [--board NAME] PACKAGE.deb [USER@]HOST [SSH OPTION...]
#
# --board NAME gives a board that has no settings yet those of deploy/boards/NAME.toml. The user is root or may use sudo
# without a password. It is installed when the service is active and answers `mien status`, within MIEN_PUSH_PATIENCE
# seconds [90]. Exit code 1: nothing has changed on the board. 4: it was rolled back. 5: and that failed too.
set -euo pipefail
die() { local code=$1; shift; printf 'push: %s\n' "$*" >&2; exit "$code"; }
say() { printf 'push: %s\n' "$*"; }
usage="deploy/push.sh [--board NAME] PACKAGE.deb [USER@]HOST [SSH OPTION...]"

boards=$(dirname "$0")/boards settings=
if [ "${1:-}" = --board ]; then
  [ -f "$boards/${2:-}.toml" ] || die 1 "no board ${2:-}; there are: $(cd "$boards" && echo *.toml | sed 's/\.toml//g')"
  settings=$(sed -n "/^settings = '''\$/,/^'''\$/p" "$boards/$2.toml" | sed '1d;$d')
  shift 2
fi
[ $# -ge 2 ] || die 1 "$usage"
package=$1 host=$2
shift 2
ssh_options=("$@")
patience=${MIEN_PUSH_PATIENCE:-90}
[ -f "$package" ] || die 1 "no package $package; deploy/package makes one"
new=$(dpkg-deb -f "$package" Version) || die 1 "$package is no Debian package"

# Runs the script of standard input on the board as root, with these arguments.
on_board() {
  local words
  words=$(printf ' %q' "$@")
  ssh -o BatchMode=yes "${ssh_options[@]}" "$host" \
    "if [ \"\$(id -u)\" = 0 ]; then sh -s --$words; else sudo -n sh -s --$words; fi"
}

# Puts standard input into a file of the store on the board. Only root can write there: what lies in it is installed.
store=/var/backups/mien
put() {
  ssh -o BatchMode=yes "${ssh_options[@]}" "$host" \
    "if [ \"\$(id -u)\" = 0 ]; then sh -c 'cat > $store/$1'; else sudo -n sh -c 'cat > $store/$1'; fi"
}

before=$(on_board "$(dpkg-deb -f "$package" Architecture)" << 'BOARD'
set -eu
[ "$(dpkg --print-architecture)" = "$1" ] || { echo "the board is $(dpkg --print-architecture), the package $1" >&2; exit 1; }
install -d -m 700 /var/backups/mien
dpkg-query -W -f '${db:Status-Status} ${Version}' mien 2> /dev/null || true
BOARD
) || die 1 "$host is not ready for it; nothing was changed"
case $before in
  installed*) before=${before#* } ;;
  *) before= ;;
esac
say "$host has ${before:-no mien}; installing $new"
put new.deb < "$package" || die 1 "the package does not get there; nothing was changed"
if [ -n "$settings" ]; then
  printf '%s\n' "$settings" | put settings.toml
fi

# Installs a package and waits so many seconds for it to answer. The board's settings stay what they are.
install() {
  on_board "$1" "$2" << 'BOARD'
set -u
cd /var/backups/mien
if [ -f settings.toml ] && [ ! -e /etc/mien/mien.toml ]; then
  mkdir -p /etc/mien
  cp settings.toml /etc/mien/mien.toml
fi
rm -f settings.toml
if command -v apt-get > /dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --allow-downgrades --reinstall \
    -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef "./$1"
else
  dpkg --force-confold --force-confdef -i "$1"
fi > install.log 2>&1 || { tail -n 5 install.log >&2; exit 1; }
# Where the package has not done so itself.
systemctl start --no-block mien
end=$(($(date +%s) + $2))
until systemctl is-active --quiet mien && mien status > /dev/null 2>&1; do
  [ "$(date +%s)" -lt $end ] || { journalctl -u mien -n 10 --no-pager -o cat >&2; exit 1; }
  sleep 1
done
mien status
BOARD
}

if install new.deb "$patience"; then
  on_board << 'BOARD'
set -e
cd /var/backups/mien
[ ! -e current.deb ] || mv -f current.deb previous.deb
mv -f new.deb current.deb
BOARD
  say "$new runs on $host"
  exit 0
fi
say "$new does not come up within $patience s"
on_board << 'BOARD' || die 5 "and $host cannot be reached, or keeps no package to go back to: see journalctl -u mien there"
[ -e /var/backups/mien/current.deb ]
BOARD
say "going back to ${before:-the package before}"
# Impatience is for what is new.
install current.deb $((patience > 90 ? patience : 90)) || die 5 "the package before does not run either: see journalctl -u mien on $host"
die 4 "$host runs ${before:-the package before} again"
