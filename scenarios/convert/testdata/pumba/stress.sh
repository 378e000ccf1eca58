pumba stress --duration 30s --stressors "--cpu 2 --cpu-load 60 --timeout 30s" cart
pumba stress -d 30s --stressors "--vm 2 --vm-bytes 128M --vm-keep" cart
