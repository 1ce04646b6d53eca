# Makes the root of the systemd of tests/own_systemd.py, and executes it.
# $1 is an empty directory, $2 the base of Python, $3 its packages, $4 the source, $5 a directory for /etc, $6 the log.
set -eu
mount --make-rprivate /
ip link set lo up
mount -t tmpfs -o mode=755 root "$1"
cd "$1"
mkdir -p usr etc proc sys dev run tmp var/log var/lib var/tmp opt/python opt/packages opt/source opt/crossgate/bin old
chmod 1777 tmp var/tmp
for link in bin sbin lib lib32 lib64; do [ -L "/$link" ] && ln -s "usr/$link" "$link"; done
bind() { mount --bind "$1" "$2"; mount -o remount,bind,ro "$2"; }
bind /usr usr; bind "$2" opt/python; bind "$3" opt/packages; bind "$4" opt/source
cp -r "$5/." etc/
cp /etc/ld.so.cache etc/
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' > etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' > etc/group
printf '127.0.0.1 localhost\n' > etc/hosts
printf 'passwd: files\ngroup: files\nhosts: files\n' > etc/nsswitch.conf
printf '0123456789abcdef0123456789abcdef\n' > etc/machine-id
mkdir -p etc/ssl && [ -d /etc/ssl/certs ] && cp -rL /etc/ssl/certs etc/ssl/certs 2>/dev/null || true
printf '#!/bin/sh\nexec env LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/source/src:/opt/packages PYTHONDONTWRITEBYTECODE=1 /opt/python/bin/python3 -m crossgate "$@"\n' > opt/crossgate/bin/crossgate
chmod 755 opt/crossgate/bin/crossgate
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
touch dev/console; mount --bind "$6" dev/console
mkdir dev/shm dev/pts; mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts; ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 run run
mount -t cgroup2 cgroup2 sys/fs/cgroup
pivot_root . old
umount -l /old
rmdir /old
exec env -i container=crossgate-test PATH=/usr/sbin:/usr/bin SYSTEMD_UNIT_PATH=/etc/systemd/system \
  SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere SYSTEMD_LOG_LEVEL=info \
  /lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
