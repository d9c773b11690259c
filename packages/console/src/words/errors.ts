import { locale } from './words.ts';

/**
 * Sentences for refusals, by the API's code. English is the API's own language: its sentence is
 * there already, and says more.
 */
const es: Record<string, string> = {
  validation_error: 'Los datos no son válidos.',
  unauthorized: 'No has iniciado sesión, o el acceso ya no es válido. Inicia sesión de nuevo.',
  subscription_required: 'La suscripción de esta cuenta no está activa. Renuévala para continuar.',
  forbidden: 'No tienes permiso para hacer esto.',
  not_found: 'Aquí no hay nada.',
  payload_too_large: 'Es demasiado grande.',
  line_not_found: 'No existe esa línea.',
  message_not_found: 'No existe ese mensaje en esta línea.',
  message_cancelled: 'El mensaje se canceló antes de salir.',
  message_left: 'El mensaje ya ha salido o puede haber salido: no se puede cancelar. Elimínalo para todos.',
  chat_not_found: 'No existe ese chat en esta línea.',
  contact_not_found: 'No existe ese contacto.',
  avatar_not_found: 'No hay foto, o está oculta para este número.',
  media_not_found: 'Este mensaje no tiene archivo.',
  webhook_not_found: 'No existe ese webhook.',
  delivery_not_found: 'No existe esa entrega.',
  approval_not_found: 'No existe esa aprobación.',
  approval_over: 'Ya se decidió, o nadie decidió a tiempo.',
  key_not_found: 'No existe esa clave, o ya no es válida.',
  already_paired: 'Esta línea ya está vinculada. Cierra su sesión para vincularla de nuevo.',
  line_not_connected: 'La línea no está conectada a WhatsApp. Vincúlala, o espera a que vuelva a conectarse.',
  line_failed: 'La línea no funciona en este momento. Se inicia de nuevo por sí sola; inténtalo más tarde.',
  not_on_whatsapp: 'Este número no tiene WhatsApp.',
  media_fetch_failed: 'No se pudo obtener el archivo de su dirección.',
  media_rejected: 'WhatsApp no acepta este archivo.',
  media_expired: 'WhatsApp ya no tiene el archivo.',
  cursor_expired: 'Los eventos posteriores a este cursor ya no se guardan. Continúa con oldest o now.',
  edit_window_closed: 'WhatsApp solo acepta cambios durante los 20 minutos siguientes al envío.',
  target_refused: 'Esa dirección no se permite como destino. Debe ser pública y https.',
  account_restricted:
    'WhatsApp ha restringido la cuenta: no puede escribir a quien nunca le escribió. Espera a que acabe.',
  recipient_restricted:
    'WhatsApp no permite ahora que este número escriba a esa persona. No insistas: espera a que escriba.',
  message_malformed: 'WhatsApp rechazó el mensaje por su forma. Repetirlo no ayuda.',
  whatsapp_error: 'WhatsApp rechazó la operación.',
  whatsapp_timeout: 'WhatsApp no respondió a tiempo.',
  rate_limited: 'Demasiadas peticiones. Espera un momento.',
  queue_full: 'Hay demasiados mensajes en espera en esta línea. Inténtalo más tarde.',
  quota_exceeded: 'Se ha agotado la cuota del periodo.',
  line_limit_reached: 'El plan no permite más líneas.',
  unavailable: 'El servicio no está disponible ahora. Inténtalo en un momento.',
  server_error: 'Algo ha fallado en el servidor. Inténtalo de nuevo.',
  phone_not_found: 'Ese teléfono virtual ya no existe.',
  not_linked: 'Esa línea no está vinculada a este teléfono.',
  qr_expired: 'El código ha caducado. Usa el siguiente.',
  code_mismatch: 'El código no es correcto.',
};

const pt: Record<string, string> = {
  validation_error: 'Os dados não são válidos.',
  unauthorized: 'Você não está conectado, ou o acesso não é mais válido. Entre de novo.',
  subscription_required: 'A assinatura desta conta não está ativa. Renove para continuar.',
  forbidden: 'Você não tem permissão para fazer isso.',
  not_found: 'Não há nada aqui.',
  payload_too_large: 'É grande demais.',
  line_not_found: 'Essa linha não existe.',
  message_not_found: 'Essa mensagem não existe nesta linha.',
  message_cancelled: 'A mensagem foi cancelada antes de sair.',
  message_left: 'A mensagem já saiu ou pode ter saído: não pode ser cancelada. Apague-a para todos.',
  chat_not_found: 'Essa conversa não existe nesta linha.',
  contact_not_found: 'Esse contato não existe.',
  avatar_not_found: 'Não há foto, ou ela está oculta para este número.',
  media_not_found: 'Esta mensagem não tem arquivo.',
  webhook_not_found: 'Esse webhook não existe.',
  delivery_not_found: 'Essa entrega não existe.',
  approval_not_found: 'Essa aprovação não existe.',
  approval_over: 'Já foi decidido, ou ninguém decidiu a tempo.',
  key_not_found: 'Essa chave não existe, ou não é mais válida.',
  already_paired: 'Esta linha já está vinculada. Encerre a sessão dela para vincular de novo.',
  line_not_connected: 'A linha não está conectada ao WhatsApp. Vincule-a, ou espere que ela se conecte de novo.',
  line_failed: 'A linha não está funcionando agora. Ela é iniciada de novo sozinha; tente mais tarde.',
  not_on_whatsapp: 'Este número não tem WhatsApp.',
  media_fetch_failed: 'Não foi possível obter o arquivo do endereço.',
  media_rejected: 'O WhatsApp não aceita este arquivo.',
  media_expired: 'O WhatsApp não tem mais o arquivo.',
  cursor_expired: 'Os eventos depois deste cursor já não são guardados. Continue com oldest ou now.',
  edit_window_closed: 'O WhatsApp só aceita edições até 20 minutos depois do envio.',
  target_refused: 'Esse endereço não é permitido como destino. Precisa ser público e https.',
  account_restricted: 'O WhatsApp restringiu a conta: ela não pode escrever a quem nunca lhe escreveu. Espere acabar.',
  recipient_restricted:
    'O WhatsApp não deixa este número escrever a essa pessoa agora. Não insista: espere que ela escreva.',
  message_malformed: 'O WhatsApp recusou a mensagem pela forma. Repetir não ajuda.',
  whatsapp_error: 'O WhatsApp recusou a operação.',
  whatsapp_timeout: 'O WhatsApp não respondeu a tempo.',
  rate_limited: 'Pedidos demais. Espere um momento.',
  queue_full: 'Há mensagens demais em espera nesta linha. Tente mais tarde.',
  quota_exceeded: 'A cota do período acabou.',
  line_limit_reached: 'O plano não permite mais linhas.',
  unavailable: 'O serviço não está disponível agora. Tente daqui a pouco.',
  server_error: 'Algo deu errado no servidor. Tente de novo.',
  phone_not_found: 'Esse telefone virtual não existe mais.',
  not_linked: 'Essa linha não está vinculada a este telefone.',
  qr_expired: 'O código expirou. Use o próximo.',
  code_mismatch: 'O código não está certo.',
};

/**
 * The sentence for a code in the language of the page; undefined where the API's own is to be
 * shown.
 */
export function errorSentence(code: string): string | undefined {
  const name = locale.get();
  return name === 'en' ? undefined : { es, pt }[name][code];
}
