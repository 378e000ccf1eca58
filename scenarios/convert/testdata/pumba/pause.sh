pumba pause --duration 15s cart store
