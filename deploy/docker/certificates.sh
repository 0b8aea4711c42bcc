#!/bin/sh
# Certificates for the processes of the compose profile `tls`: certificates FOLDER
#
# FOLDER/authority is a folder of `rawgate init-tls`: the CA and its key, and what the user admin shows. It is made the first
# time; after that its certificates are renewed, so that every start is good for another year. The other folders in FOLDER are
# each for the process of that name and get what it needs: its certificate and key, the CA's certificate, and the gateway's
# also who may do what. Whoever runs takes what is new within a second.
set -eu

folder=$1
authority=$folder/authority
gateway='gateway-tls'
services=$(cd "$folder" && find . -mindepth 1 -maxdepth 1 -type d ! -name authority ! -name "$gateway" -printf '%f\n' | sort)

# Appears at once, or not at all.
put() {
  cp -p "$1" "$2.new"
  mv "$2.new" "$2"
}

hosts=${RAWGATE_TLS_HOSTS:+,$RAWGATE_TLS_HOSTS}
set -- "$authority"
for host in $(echo "$gateway$hosts" | tr , ' '); do set -- "$@" --host "$host"; done
for service in $services; do
  names=$service,localhost,127.0.0.1,::1
  # Not for the key that commands can read: with the machine's names it would pass for the gateway's elsewhere.
  [ "$service" = exec-tls ] || names=$names$hosts
  set -- "$@" --service "$names"
done
if [ -e "$authority/ca.pem" ]; then
  rawgate init-tls --renew "$@"
else
  rawgate init-tls "$@" >/dev/null
  echo "made a CA, certificates, and the token of the user admin"
fi

for service in $services; do
  put "$authority/$service.service-key.pem" "$folder/$service/server-key.pem"
  put "$authority/$service.service.pem" "$folder/$service/server.pem"
  put "$authority/ca.pem" "$folder/$service/ca.pem"
done
put "$authority/server-key.pem" "$folder/$gateway/server-key.pem"
put "$authority/server.pem" "$folder/$gateway/server.pem"
put "$authority/ca.pem" "$folder/$gateway/ca.pem"
put "$authority/access.textproto" "$folder/$gateway/access.textproto"
