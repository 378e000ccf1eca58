pumba exec --command "kill -9 1" cart
pumba --dry-run kill cart
