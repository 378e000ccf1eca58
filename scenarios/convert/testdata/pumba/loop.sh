for i in 1 2 3; do
  pumba kill cart
  sleep 30
done
