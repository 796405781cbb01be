#!/bin/sh
# Installs Debian packages without starting their services: Parley starts what it needs itself, on ports of its own.
# Run as root: install-packages.sh PACKAGE...
set -eu

policy=/usr/sbin/policy-rc.d
# Debian's way to forbid starting services while installing: exit 101 means "not allowed". One that is there already is the
# administrator's decision and stays as it is. `set -C` makes creating it fail when it exists.
if (set -C; printf '#!/bin/sh\nexit 101\n' >"$policy") 2>/dev/null; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
