#!/bin/sh
break_it() {
  pumba kill cart
  sleep 10
}
if [ "$1" = slow ]; then
  pumba netem -d 30s delay --time 100 cart
fi
case $2 in
hard)
  pumba kill stock
  ;;
esac
false || pumba kill orders
(sleep 5 && break_it) &
break_it
