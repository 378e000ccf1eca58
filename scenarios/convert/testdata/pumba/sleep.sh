pumba pause -d 10s web
sleep 60
pumba kill web
kubectl delete pod web-1
